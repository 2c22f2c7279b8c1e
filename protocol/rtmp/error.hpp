// What can be wrong with an RTMP peer or with an address, each with a sentence that a person can act on.
//
// Usable as boost::system::error_code. No sentence carries anything the peer sent, so none can hold a secret.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace simulcast::rtmp {

enum class Error {
  // handshake
  tls_on_plain_port = 1,
  tls_expected,
  http_on_rtmp_port,
  http_answer,
  encrypted_rtmp,
  bad_version,
  // chunk stream
  bad_chunk_size,
  bad_control_message,
  chunk_stream_not_begun,
  too_many_chunk_streams,
  message_too_long,
  message_interrupted,
  partial_messages_too_large,
  // AMF
  amf_truncated,
  amf_too_deep,
  amf_too_many_values,
  amf_bad_marker,
  // sessions
  bad_command,
  not_connected,
  too_many_commands,
  media_before_publish,
  second_connect,
  second_publish,
  not_a_publisher,
  bad_aggregate,
  rejected,
  closed_by_peer,
  bad_stream_id,
  // stream keys of publishers
  no_stream_key,
  bad_stream_name,
  stream_name_too_long,
  // destination URLs
  url_bad_scheme,
  url_malformed,
  url_no_host,
  url_bad_port,
  url_has_credentials,
  url_has_fragment,
  url_bad_character,
  url_no_application,
  url_no_stream_key,
  url_too_long,
};

const boost::system::error_category& error_category();
boost::system::error_code make_error_code(Error error);

}  // namespace simulcast::rtmp

template <>
struct boost::system::is_error_code_enum<simulcast::rtmp::Error> : std::true_type {};
