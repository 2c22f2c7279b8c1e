#include "protocol/rtmp/chunk_reader.hpp"

#include <algorithm>
#include <cstring>

#include "protocol/big_endian.hpp"
#include "protocol/rtmp/error.hpp"

namespace simulcast::rtmp {

using boost::system::error_code;
using boost::system::result;

namespace {

std::size_t basic_size(std::byte first) {
  switch (std::to_integer<int>(first) & 0x3F) {
    case 0:
      return 2;
    case 1:
      return 3;
    default:
      return 1;
  }
}

// How long the header that begins with these bytes is, as far as they tell: it is whole once there are as
// many.
std::size_t header_size(std::span<const std::byte> bytes) {
  static constexpr std::array<std::size_t, 4> kMessageHeader{11, 7, 3, 0};
  if (bytes.empty()) return 1;
  const std::size_t basic = basic_size(bytes[0]);
  const unsigned format = std::to_integer<unsigned>(bytes[0]) >> 6;
  const std::size_t size = basic + kMessageHeader[format];
  if (format == 3 || bytes.size() < size) return size;
  return load_u24(bytes.data() + basic) == kExtendedTimestamp ? size + 4 : size;
}

}  // namespace

struct ChunkReader::Header {
  unsigned format;
  std::uint32_t id;
  std::uint32_t time = 0;  // absolute or delta, from the extended field if there is one
  bool has_extended = false;
  std::uint32_t length = 0;
  MessageType type{};
  std::uint32_t stream_id = 0;

  // `p` points to a whole header.
  explicit Header(const std::byte* p) : format(load_u8(p) >> 6), id(load_u8(p) & 0x3F) {
    if (id == 0) {
      id = 64 + load_u8(p + 1);
      p += 2;
    } else if (id == 1) {
      id = 64 + load_u8(p + 1) + (load_u8(p + 2) << 8);
      p += 3;
    } else {
      p += 1;
    }
    if (format == 3) return;
    time = load_u24(p);
    p += 3;
    if (format <= 1) {
      length = load_u24(p);
      type = static_cast<MessageType>(load_u8(p + 3));
      p += 4;
    }
    if (format == 0) {  // the one little-endian field of the protocol
      stream_id = load_u8(p) | load_u8(p + 1) << 8 | load_u8(p + 2) << 16 | load_u8(p + 3) << 24;
      p += 4;
    }
    has_extended = time == kExtendedTimestamp;
    if (has_extended) time = load_u32(p);
  }
};

result<std::optional<Message>> ChunkReader::read(std::span<const std::byte>& in,
                                                 const media::Payload* whole) {
  for (;;) {
    if (again_size_ == 0) {
      auto message = step(in, whole);
      if (message.has_error() || *message || again_size_ == 0) return message;
    }
    const auto bytes = again_;
    std::span<const std::byte> held(bytes.data(), again_size_);
    again_size_ = 0;
    auto message = step(held, nullptr);
    // What step() holds back anew comes before what it has not looked at.
    for (const std::byte byte : held) again_[again_size_++] = byte;
    if (message.has_error() || *message) return message;
  }
}

std::size_t ChunkReader::missing() const {
  std::size_t least = header_size_ > 0 || state_ == State::probe ? 1 : 0;
  if (least > 0 || partial_announced_ == 0) return least;
  for (const ChunkStream& stream : streams_) {
    if (!stream.partial) continue;
    const std::size_t missing = std::max<std::size_t>(stream.body.missing(), 1);
    least = least == 0 ? missing : std::min(least, missing);
  }
  return least;
}

result<std::optional<Message>> ChunkReader::step(std::span<const std::byte>& in,
                                                 const media::Payload* whole) {
  for (;;) {
    if (state_ == State::header) {
      if (const error_code error = read_header(in)) return error;
      if (state_ == State::header) return std::nullopt;
    }
    if (state_ == State::probe && !probe_extended(in)) return std::nullopt;
    auto message = read_payload(in, whole);
    if (message.has_error() || *message || state_ == State::payload) return message;
  }
}

error_code ChunkReader::read_header(std::span<const std::byte>& in) {
  if (header_size_ == 0 && header_size(in) <= in.size()) {
    const Header header(in.data());
    in = in.subspan(header_size(in));
    return begin_chunk(header);
  }
  for (;;) {
    const std::size_t wanted = header_size({header_.data(), header_size_});
    if (wanted == header_size_) break;
    const std::size_t taken = std::min(wanted - header_size_, in.size());
    if (taken == 0) return {};
    std::memcpy(header_.data() + header_size_, in.data(), taken);
    header_size_ = static_cast<std::uint8_t>(header_size_ + taken);
    in = in.subspan(taken);
  }
  header_size_ = 0;
  return begin_chunk(Header(header_.data()));
}

error_code ChunkReader::begin_chunk(const Header& header) {
  ChunkStream* stream = find(header.id);
  if (stream == nullptr) {
    // Format 1 is what librtmp begins chunk stream 2 with; 2 and 3 would need a length from nowhere.
    if (header.format > 1) return Error::chunk_stream_not_begun;
    const auto added = add(header.id);
    if (added.has_error()) return added.error();
    stream = *added;
  }
  current_ = static_cast<std::size_t>(stream - streams_.data());
  stream->last_used = ++chunks_;
  if (header.format < 3) {
    stream->has_extended = header.has_extended;
    stream->extended = header.time;
  }
  if (!stream->partial) {
    if (const error_code error = begin_message(*stream, header)) return error;
  } else if (header.format == 0 ||
             (header.format == 1 && (header.length != stream->length || header.type != stream->type))) {
    // Going on with a body sized for another length is how memory gets overwritten (CVE-2016-10191).
    return Error::message_interrupted;
  }
  chunk_missing_ = static_cast<std::uint32_t>(std::min<std::size_t>(chunk_size_, stream->body.missing()));
  probe_ = 0;
  state_ = header.format == 3 && stream->has_extended ? State::probe : State::payload;
  return {};
}

error_code ChunkReader::begin_message(ChunkStream& stream, const Header& header) {
  switch (header.format) {
    case 0:
      stream.timestamp = header.time;
      stream.delta = header.time <= kMaxImpliedDelta ? header.time : 0;
      stream.stream_id = header.stream_id;
      break;
    case 1:
    case 2:
      stream.delta = header.time;
      [[fallthrough]];
    default:
      stream.timestamp += stream.delta;  // modulo 2^32: a step back is a huge delta
  }
  if (header.format <= 1) {
    stream.length = header.length;
    stream.type = header.type;
  }
  if (stream.length > limit_for(stream.type)) return Error::message_too_long;
  if (partial_announced_ + stream.length > limits_.partial) return Error::partial_messages_too_large;
  partial_announced_ += stream.length;
  stream.partial = true;
  stream.body.begin(stream.length);
  return {};
}

// The extended timestamp of a type 3 chunk is there if the next four bytes are those of the message's first
// chunk, else they are payload already. They may arrive one at a time, and need not arrive at all: whatever
// differs decides at once.
bool ChunkReader::probe_extended(std::span<const std::byte>& in) {
  std::array<std::byte, 4> expected;
  store(expected.data(), streams_[current_].extended, 4);
  while (probe_ < expected.size()) {
    if (in.empty()) return false;
    if (in[0] != expected[probe_]) {
      // The bytes that did match are payload, or even the next header, and are read once more.
      std::copy_n(expected.begin(), probe_, again_.begin());
      again_size_ = probe_;
      state_ = State::payload;
      return again_size_ == 0;
    }
    in = in.subspan(1);
    ++probe_;
  }
  state_ = State::payload;
  return true;
}

result<std::optional<Message>> ChunkReader::read_payload(std::span<const std::byte>& in,
                                                         const media::Payload* whole) {
  ChunkStream& stream = streams_[current_];
  const std::size_t taken = std::min<std::size_t>(in.size(), chunk_missing_);
  if (whole != nullptr) {
    stream.body.append(whole->slice(static_cast<std::size_t>(in.data() - whole->data()), taken));
  } else {
    stream.body.append(in.first(taken));
  }
  in = in.subspan(taken);
  chunk_missing_ -= static_cast<std::uint32_t>(taken);
  if (chunk_missing_ > 0) return std::nullopt;
  state_ = State::header;
  if (stream.body.missing() > 0) return std::nullopt;
  stream.partial = false;
  partial_announced_ -= stream.length;
  Message message{.type = stream.type,
                  .stream_id = stream.stream_id,
                  .chunk_stream_id = stream.id,
                  .timestamp = stream.timestamp,
                  .body = stream.body.finish()};
  if (message.type != MessageType::set_chunk_size && message.type != MessageType::abort) return message;
  if (const error_code error = apply(message)) return error;
  return std::nullopt;
}

error_code ChunkReader::apply(const Message& message) {
  const auto value = control_value(message);
  if (value.has_error()) return value.error();
  if (message.type == MessageType::set_chunk_size) {
    if (*value == 0 || *value > 0x7FFFFFFF) return Error::bad_chunk_size;
    chunk_size_ = std::min(*value, kMaxChunkSize);
  } else if (ChunkStream* aborted = find(*value); aborted != nullptr && aborted->partial) {
    partial_announced_ -= aborted->length;
    aborted->partial = false;
    aborted->body.reset();
  }
  return {};
}

std::size_t ChunkReader::limit_for(MessageType type) const {
  switch (type) {
    case MessageType::set_chunk_size:
    case MessageType::abort:
    case MessageType::acknowledgement:
    case MessageType::user_control:
    case MessageType::window_ack_size:
    case MessageType::set_peer_bandwidth:
      return kMaxControl;
    case MessageType::audio:
    case MessageType::video:
    case MessageType::data_amf0:
    case MessageType::data_amf3:
    case MessageType::aggregate:
      return limits_.message;
    default:
      return std::min(limits_.message, kMaxCommand);
  }
}

ChunkReader::ChunkStream* ChunkReader::find(std::uint32_t id) {
  if (current_ < streams_.size() && streams_[current_].id == id) return &streams_[current_];
  const auto found = std::ranges::find(streams_, id, &ChunkStream::id);
  return found == streams_.end() ? nullptr : &*found;
}

result<ChunkReader::ChunkStream*> ChunkReader::add(std::uint32_t id) {
  if (streams_.size() < kMaxChunkStreams) {
    streams_.emplace_back();
    streams_.back().id = id;
    return &streams_.back();
  }
  ChunkStream* oldest = nullptr;
  for (ChunkStream& stream : streams_) {
    if (!stream.partial && (oldest == nullptr || stream.last_used < oldest->last_used)) oldest = &stream;
  }
  if (oldest == nullptr) return Error::too_many_chunk_streams;
  *oldest = ChunkStream{};
  oldest->id = id;
  return oldest;
}

}  // namespace simulcast::rtmp
