#include "protocol/rtmp/error.hpp"

#include <string>

namespace simulcast::rtmp {

namespace {

const char* sentence(Error error) {
  switch (error) {
    case Error::tls_on_plain_port:
      return "a TLS connection arrived on the plain RTMP port: use an rtmp:// URL here, or the RTMPS port "
             "for rtmps://";
    case Error::tls_expected:
      return "the server answered with TLS on a plain RTMP connection: use an rtmps:// URL";
    case Error::http_on_rtmp_port:
      return "an HTTP request arrived on the RTMP port: only RTMP is spoken here, neither HTTP nor RTMPT";
    case Error::http_answer:
      return "the server answered with HTTP: the URL leads to a web server, not to an RTMP server; check "
             "host and port";
    case Error::encrypted_rtmp:
      return "the peer asks for RTMPE, the old Adobe encryption: use rtmp:// or rtmps://";
    case Error::bad_version:
      return "the peer does not speak RTMP version 3; check that host and port lead to RTMP";
    case Error::bad_chunk_size:
      return "the peer set a chunk size that is not allowed: it must be from 1 to 2147483647";
    case Error::bad_control_message:
      return "the peer sent a protocol control message of the wrong length";
    case Error::chunk_stream_not_begun:
      return "the peer began a chunk stream with a header that refers to an earlier one";
    case Error::too_many_chunk_streams:
      return "the peer has more than 64 messages begun at once on different chunk streams";
    case Error::message_too_long:
      return "the peer announced a message that is longer than is allowed at this point";
    case Error::message_interrupted:
      return "the peer changed length or type of a message in the middle of it";
    case Error::partial_messages_too_large:
      return "the peer announced too many bytes in messages begun at once";
    case Error::amf_truncated:
      return "an AMF value ends before its announced length";
    case Error::amf_too_deep:
      return "AMF values are nested more than 16 deep";
    case Error::amf_too_many_values:
      return "a message holds more than 1000 AMF values";
    case Error::amf_bad_marker:
      return "an AMF value is of a type that does not exist";
    case Error::bad_command:
      return "the peer sent a command without a name or transaction number";
    case Error::not_connected:
      return "the peer sent a command other than connect first";
    case Error::too_many_commands:
      return "the peer sent 50 commands without publishing";
    case Error::media_before_publish:
      return "the peer sent audio or video before its publish was accepted";
    case Error::second_connect:
      return "the peer sent connect a second time";
    case Error::second_publish:
      return "the peer published a second time on the same connection: open a new connection for each stream";
    case Error::not_a_publisher:
      return "the peer asked to play: this server takes streams in and does not serve players over RTMP";
    case Error::bad_aggregate:
      return "an aggregate message holds a part that reaches past its end";
    case Error::rejected:
      return "the connection was refused, and the peer was told why";
    case Error::closed_by_peer:
      return "the server closed the RTMP connection";
    case Error::bad_stream_id:
      return "the server answered createStream without a usable stream id";
    case Error::no_stream_key:
      return "the address has no stream key: publish to rtmp://host/live/STREAM_KEY";
    case Error::bad_stream_name:
      return "application or stream key contain control characters";
    case Error::stream_name_too_long:
      return "application or stream key are longer than 2048 bytes";
    case Error::url_bad_scheme:
      return "the URL must begin with rtmp:// or rtmps://";
    case Error::url_malformed:
      return "the URL cannot be read: it must look like rtmps://host:port/application";
    case Error::url_no_host:
      return "the URL has no host: it must look like rtmps://host:port/application";
    case Error::url_bad_port:
      return "the port in the URL must be a number from 1 to 65535";
    case Error::url_has_credentials:
      return "the URL must not hold a user name or password; the stream key goes into its own field";
    case Error::url_has_fragment:
      return "the URL must not contain a '#' part";
    case Error::url_bad_character:
      return "URL and stream key must not contain spaces or control characters";
    case Error::url_no_application:
      return "the URL has no application: it must have a path, like rtmps://host/application";
    case Error::url_no_stream_key:
      return "the stream key is missing";
    case Error::url_too_long:
      return "URL or stream key are longer than 2048 bytes";
  }
  return "unknown RTMP error";
}

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "rtmp"; }
  std::string message(int value) const override { return sentence(static_cast<Error>(value)); }
};

}  // namespace

const boost::system::error_category& error_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Error error) {
  return {static_cast<int>(error), error_category()};
}

}  // namespace simulcast::rtmp
