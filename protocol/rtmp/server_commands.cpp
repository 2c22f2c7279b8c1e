// The commands of a publisher (specification, 7.2) and how each is answered. Clients leave out steps, use
// transaction number 0 for calls whose answer they do not want, and give up on an _error: what is not known
// is passed over.
#include <algorithm>
#include <string>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"
#include "protocol/rtmp/peer_text.hpp"
#include "protocol/rtmp/server_session.hpp"
#include "protocol/rtmp/stream_key.hpp"
#include "protocol/rtmp/trail.hpp"

namespace simulcast::rtmp {

using amf0::Null;
using amf0::Object;
using amf0::Value;

namespace {

std::string_view string_or_empty(std::span<const Value> values, std::size_t index) {
  return index < values.size() ? values[index].as_string().value_or("") : "";
}

// A property of connect; some tools put the URL in quotes.
std::string text_of(const Value& object, std::string_view name) {
  std::string_view text = object.string_of(name).value_or("");
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return std::string(text.substr(0, kMaxNameLength));
}

}  // namespace

ServerSession::Step ServerSession::handle_command(const Message& message) {
  auto body = message.body.bytes();
  // Type 17 has a format byte in front: 0, AMF0 follows.
  if (message.type == MessageType::command_amf3 && !body.empty() && body[0] == std::byte{0})
    body = body.subspan(1);
  const auto values = amf0::decode(body);
  if (values.has_error()) return values.error();
  if (values->empty() || !values->front().as_string()) return Error::bad_command;
  if (state_ < State::publishing && ++commands_ > kMaxCommandsBeforePublish) return Error::too_many_commands;

  const double transaction = values->size() > 1 ? (*values)[1].as_number().value_or(0) : 0;
  const Arguments arguments = Arguments(*values).subspan(std::min<std::size_t>(2, values->size()));
  return on_command(*values->front().as_string(), transaction, arguments, message.stream_id);
}

ServerSession::Step ServerSession::on_command(std::string_view name, double transaction, Arguments arguments,
                                              std::uint32_t stream_id) {
  if (name == "connect") return on_connect(transaction, arguments);
  if (state_ == State::connecting) return Error::not_connected;

  const bool wants_answer = transaction != 0;
  if (name == "publish") return on_publish(arguments, stream_id);
  if (name == "FCUnpublish" || name == "deleteStream" || name == "closeStream" || name == "close")
    return on_goodbye();
  if (name == "createStream") {
    send_command(0, {"_result", transaction, Null{}, static_cast<double>(++streams_created_)});
  } else if (name == "releaseStream" || name == "_checkbw") {
    if (wants_answer) send_command(0, {"_result", transaction, Null{}});
  } else if (name == "FCPublish") {
    if (wants_answer) send_command(0, {"_result", transaction, Null{}});
    send_command(0,
                 {"onFCPublish", 0.0, Null{},
                  Object{{{"code", "NetStream.Publish.Start"}, {"description", "Ready for publish."}}, {}}});
  } else if (name == "getStreamLength") {
    if (wants_answer) send_command(0, {"_result", transaction, Null{}, 0.0});
  } else if (name == "play" || name == "play2") {
    send_status(stream_id, "error", "NetStream.Play.Failed",
                "This server takes streams in and relays them; it does not serve players over RTMP.");
    return Error::not_a_publisher;
  }
  return std::nullopt;
}

ServerSession::Step ServerSession::on_connect(double transaction, Arguments arguments) {
  if (state_ != State::connecting) return Error::second_connect;
  const Value client = arguments.empty() ? Value() : arguments[0];
  const std::string_view app = client.string_of("app").value_or("");
  if (app.size() > kMaxNameLength || application_root(app) != options_.application) {
    const std::string description =
        "There is no such application on this server: use the server URL rtmp://HOST/" +
        options_.application + " and put the stream key into its own field.";
    send_command(
        0,
        {"_error", transaction, Null{},
         Object{
             {{"level", "error"}, {"code", "NetConnection.Connect.Rejected"}, {"description", description}},
             {}}});
    return Error::rejected;
  }
  app_ = app;
  tc_url_ = text_of(client, client.find("tcUrl") != nullptr ? "tcUrl" : "tcurl");
  flash_version_ = clean_peer_text(text_of(client, "flashVer"), {});
  trail_ = media::Trail::parse(client.string_of(kTrailProperty).value_or(""));
  state_ = State::connected;

  send(window_ack_size(kDefaultAckWindow));
  send(set_peer_bandwidth(kDefaultAckWindow, BandwidthLimit::dynamic));
  send(set_chunk_size(options_.chunk_size));
  writer_.set_chunk_size(options_.chunk_size);
  // The version string is that of the server which clients were written against; some look at its shape.
  const Object properties{{{"fmsVer", "FMS/3,0,1,123"}, {"capabilities", 31.0}}, {}};
  Object information{{{"level", "status"},
                      {"code", "NetConnection.Connect.Success"},
                      {"description", "Connection succeeded."},
                      {"objectEncoding", 0.0}},
                     {}};
  add_capabilities(client, information);
  send_command(0, {"_result", transaction, properties, information});
  return std::nullopt;
}

void ServerSession::add_capabilities(const Value& client, Object& answer) {
  if (client.find("fourCcList") == nullptr && client.find("videoFourCcInfoMap") == nullptr &&
      client.find("capsEx") == nullptr) {
    return;
  }
  static constexpr double kForward = 4;              // every codec is passed on, none is looked into
  static constexpr double kMultitrackModEx = 2 | 4;  // capsEx
  const Value any_codec = Object{{{"*", kForward}}, {}};
  answer.properties.push_back({"fourCcList", amf0::StrictArray{{Value("*")}}});
  answer.properties.push_back({"videoFourCcInfoMap", any_codec});
  answer.properties.push_back({"audioFourCcInfoMap", any_codec});
  answer.properties.push_back({"capsEx", kMultitrackModEx});
}

ServerSession::Step ServerSession::on_publish(Arguments arguments, std::uint32_t stream_id) {
  const auto refuse = [&](std::string_view description) {
    send_status(stream_id, "error", "NetStream.Publish.BadName", description);
  };
  if (state_ != State::connected) {
    const boost::system::error_code error = Error::second_publish;
    refuse(error.message());
    return error;
  }
  auto target = publish_target(app_, string_or_empty(arguments, 1));
  if (target.has_error()) {
    refuse(target.error().message());
    return target.error();
  }
  if (target->app != options_.application) {
    refuse("There is no such application on this server: publish to rtmp://HOST/" + options_.application +
           "/STREAM_KEY, the stream key without slashes.");
    return Error::rejected;
  }
  state_ = State::deciding;
  publish_stream_id_ = stream_id;
  return PublishRequest{.app = std::move(target->app),
                        .key = std::move(target->key),
                        .tc_url = tc_url_,
                        .flash_version = flash_version_,
                        .trail = trail_};
}

// The stream id is not looked at: GStreamer sends the stream's name instead, and there is but one stream.
ServerSession::Step ServerSession::on_goodbye() {
  if (state_ != State::deciding && state_ != State::publishing) return std::nullopt;
  state_ = State::ended;
  send_status(publish_stream_id_, "status", "NetStream.Unpublish.Success", "The stream has ended.");
  return PublishEnded{};
}

}  // namespace simulcast::rtmp
