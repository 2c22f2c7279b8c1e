// The chunks of one batch, made once for all RTMP outputs of a stream.
//
// Behind its first message a chunk stream carries time as differences, and no stream id: two outputs that
// have been sent the same message last get the very same bytes next, whatever their time began with. So the
// headers of a batch are made once, and an output that has kept up hands them to its socket as they are,
// without looking at the packets; one that has not makes its own (RtmpWriter). The sockets of those that keep
// up are written together, in one system call where the kernel can (net::GatherRing). Owned by the daemon's
// live stream, used by its outputs, on the stream's shard.
//
// Source: RTMP specification, 5.3.1.2 (message headers of type 1 to 3).
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <vector>

#include "media/output.hpp"
#include "net/gather_ring.hpp"
#include "net/transport.hpp"
#include "protocol/rtmp/chunk_writer.hpp"

namespace simulcast::egress {

// The chunk stream of a kind of media; one each, as ffmpeg and OBS do.
std::uint32_t chunk_stream_of(media::MediaKind kind);
rtmp::MessageType message_type_of(media::MediaKind kind);
// Stream time in RTMP's milliseconds, before they are made to wrap.
std::int64_t milliseconds_of(media::Time time);

// Which message each chunk stream carried last: its time, by MediaKind.
struct ChunkTimes {
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
  static constexpr std::size_t kKinds = 3;

  std::array<std::int64_t, kKinds> last = {kNone, kNone, kNone};

  std::int64_t& operator[](media::MediaKind kind) { return last[static_cast<std::size_t>(kind)]; }
};

// A batch in chunks of one size.
struct ChunkedBatch {
  std::array<bool, ChunkTimes::kKinds> has = {};  // messages of that kind
  ChunkTimes before;                              // what must have been sent for the headers to hold
  ChunkTimes after;
  std::int64_t earliest = 0;
  std::array<std::uint64_t, ChunkTimes::kKinds> frames = {};
  std::uint64_t media_bytes = 0;
  std::size_t size = 0;  // of all pieces
  std::span<const media::Packet> packets;
  std::vector<std::byte> headers;
  std::vector<boost::asio::const_buffer> pieces;  // into headers and payloads
};

// An output that sends the chunks of a batch as they are.
class SharedSender {
 public:
  // The socket was offered the batch; in `result` what it took of it.
  virtual void sent(const ChunkedBatch& batch, const net::IoResult& result) = 0;

 protected:
  ~SharedSender() = default;
};

class RtmpFanout final : public media::BatchGiven {
 public:
  // No more pieces than one gather write takes.
  static constexpr std::size_t kMaxPieces = 256;

  // Without a ring every output is written by itself.
  explicit RtmpFanout(net::GatherRing* ring = nullptr) : ring_(ring) {}

  // Null: this batch cannot be shared. Valid while the batch is.
  const ChunkedBatch* chunks_of(const media::Batch& batch, std::uint32_t chunk_size);

  // Writes a batch of chunks_of() to the socket, together with all others once the last output has been given
  // the batch; the sender is told then. False: there is nothing to do that with.
  bool send_together(const ChunkedBatch& batch, int socket, SharedSender& sender);
  void batch_given() override;

 private:
  struct OfSize {
    std::uint32_t chunk_size = 0;
    std::uint64_t batch = 0;
    bool shareable = false;
    ChunkedBatch chunks;
    rtmp::ChunkWriter writer;
    // Who sends them together.
    std::vector<int> sockets;
    std::vector<SharedSender*> senders;
  };

  void send(OfSize& made);
  OfSize& of_size(std::uint32_t chunk_size);
  void begin(const media::Batch& batch);
  bool make(OfSize& made, const media::Batch& batch) const;

  net::GatherRing* const ring_;
  std::uint64_t batch_ = 0;  // the newest, that before_ and after_ are of
  ChunkTimes before_, after_;
  std::deque<OfSize> made_;  // one for each chunk size in use: a handful
  bool waiting_ = false;     // for batch_given()
  std::vector<iovec> pieces_;
  std::vector<std::int32_t> results_;
};

}  // namespace simulcast::egress
