// The commands of a publishing client, in the order and form of OBS (specification, 7.2).
#include <algorithm>
#include <cmath>

#include "protocol/rtmp/client_session.hpp"
#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"
#include "protocol/rtmp/peer_text.hpp"
#include "protocol/rtmp/trail.hpp"

namespace simulcast::rtmp {

using amf0::Null;
using amf0::Object;
using amf0::Value;

namespace {

// A chunk stream of its own for what goes to the stream and not to the connection, as ffmpeg does.
constexpr std::uint32_t kPublishChunkStream = 8;

// Transaction numbers; a server answers with the same.
constexpr double kConnect = 1;
constexpr double kReleaseStream = 2;
constexpr double kFcPublish = 3;
constexpr double kCreateStream = 4;
constexpr double kPublish = 5;
constexpr double kFcUnpublish = 6;
constexpr double kDeleteStream = 7;

std::string_view string_at(std::span<const Value> values, std::size_t index) {
  return index < values.size() ? values[index].as_string().value_or("") : "";
}

// The object that tells what happened: the second argument, in broken servers the first.
const Value* information(std::span<const Value> arguments) {
  const auto found = std::ranges::find_if(arguments, [](const Value& value) {
    return value.find("code") != nullptr || value.find("level") != nullptr;
  });
  return found == arguments.end() ? nullptr : &*found;
}

}  // namespace

void ClientSession::send_connect() {
  state_ = State::connecting;
  // Before connect, as OBS does: from here on nothing is cut into 128 byte pieces.
  send(set_chunk_size(options_.chunk_size));
  writer_.set_chunk_size(options_.chunk_size);
  send_command(kCommandChunkStream, 0,
               {"connect", kConnect,
                Object{{{"app", options_.app},
                        {"type", "nonprivate"},
                        {"flashVer", options_.flash_version},
                        {"swfUrl", options_.tc_url},
                        {"tcUrl", options_.tc_url},
                        {std::string(kTrailProperty), options_.trail.text()}},
                       {}}});
}

// A larger chunk costs fewer headers and, through TLS, fewer records; but sizes above OBS's are not tried on
// a server that has not shown that it can handle them. One that sends such chunks itself has. It happens
// once, before any media: a later change could come between the chunks of a message.
void ClientSession::raise_chunk_size() {
  const std::uint32_t wanted = std::min(reader_.chunk_size(), options_.max_chunk_size);
  if (wanted <= writer_.chunk_size()) return;
  send(set_chunk_size(wanted));
  writer_.set_chunk_size(wanted);
}

void ClientSession::send_create_stream() {
  state_ = State::creating;
  send_command(kCommandChunkStream, 0, {"releaseStream", kReleaseStream, Null{}, options_.stream_name});
  send_command(kCommandChunkStream, 0, {"FCPublish", kFcPublish, Null{}, options_.stream_name});
  send_command(kCommandChunkStream, 0, {"createStream", kCreateStream, Null{}});
}

void ClientSession::send_publish() {
  state_ = State::publish_sent;
  send_command(kPublishChunkStream, stream_id_, {"publish", kPublish, Null{}, options_.stream_name, "live"});
}

void ClientSession::finish() {
  if (state_ == State::publishing || state_ == State::publish_sent) {
    send_command(kCommandChunkStream, 0, {"FCUnpublish", kFcUnpublish, Null{}, options_.stream_name});
    send_command(kCommandChunkStream, 0,
                 {"deleteStream", kDeleteStream, Null{}, static_cast<double>(stream_id_)});
  }
  state_ = State::finished;
}

ClientSession::Step ClientSession::handle_command(const Message& message) {
  auto body = message.body.bytes();
  // Type 17 has a format byte in front: 0, AMF0 follows.
  if (message.type == MessageType::command_amf3 && !body.empty() && body[0] == std::byte{0})
    body = body.subspan(1);
  const auto values = amf0::decode(body);
  if (values.has_error()) return values.error();
  const Arguments all = *values;
  const std::string_view name = string_at(all, 0);
  const double transaction = all.size() > 1 ? all[1].as_number().value_or(0) : 0;
  const Arguments arguments = all.subspan(std::min<std::size_t>(2, all.size()));

  if (name == "_result") return on_result(transaction, arguments);
  if (name == "_error") return on_error(transaction, arguments);
  if (name == "onStatus") return on_status(arguments);
  if (name == "close") return Error::closed_by_peer;
  return std::nullopt;  // onBWDone, onFCPublish and whatever else a server likes to tell
}

ClientSession::Step ClientSession::on_result(double transaction, Arguments arguments) {
  if (state_ == State::connecting && transaction == kConnect) {
    raise_chunk_size();
    send_create_stream();
  } else if (state_ == State::creating && transaction == kCreateStream) {
    const double id = arguments.size() > 1 ? arguments[1].as_number().value_or(0) : 0;
    if (!(id >= 1 && id <= 0xFFFFFFFF) || id != std::floor(id)) return Error::bad_stream_id;
    stream_id_ = static_cast<std::uint32_t>(id);
    send_publish();
  } else if (state_ == State::publish_sent && transaction == kPublish) {
    return accepted();  // instead of onStatus, from some servers
  }
  return std::nullopt;
}

// releaseStream and FCPublish may fail: not every server knows them.
ClientSession::Step ClientSession::on_error(double transaction, Arguments arguments) {
  if (state_ == State::connecting && transaction == kConnect) return refused(arguments, true);
  if (state_ == State::creating && transaction == kCreateStream) return refused(arguments, false);
  if (state_ == State::publish_sent && transaction == kPublish) return refused(arguments, false);
  return std::nullopt;
}

ClientSession::Step ClientSession::on_status(Arguments arguments) {
  const Value* status = information(arguments);
  if (status == nullptr || state_ == State::rejected || state_ == State::finished) return std::nullopt;
  const std::string_view code = status->string_of("code").value_or("");
  if (status->string_of("level") == "error") return refused(arguments, state_ == State::connecting);
  if (code == "NetStream.Publish.Start" && state_ == State::publish_sent) return accepted();
  if (code == "NetConnection.Connect.Closed") return Error::closed_by_peer;
  return std::nullopt;
}

ClientSession::Event ClientSession::accepted() {
  state_ = State::publishing;
  return PublishAccepted{};
}

ClientSession::Event ClientSession::refused(Arguments arguments, bool at_connect) {
  state_ = State::rejected;
  Rejected rejected{.code = {}, .description = {}, .at_connect = at_connect};
  if (const Value* reason = information(arguments)) {
    rejected.code = clean_peer_text(reason->string_of("code").value_or(""), secrets_);
    rejected.description = clean_peer_text(reason->string_of("description").value_or(""), secrets_);
  }
  return rejected;
}

}  // namespace simulcast::rtmp
