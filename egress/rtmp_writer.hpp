// Turns waiting packets into the pieces of a gather write: chunk headers from scratch memory, payload slices
// as they are.
//
// Holds the payloads until their bytes have been taken. A message too long for one write is continued in the
// next. While the destination keeps up, the chunks that are shared with other outputs (RtmpFanout) are
// written in place of pieces of its own. Owned by an RtmpSink; no allocation in steady state, no copy of a
// payload.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "egress/mailbox.hpp"
#include "egress/rtmp_fanout.hpp"
#include "media/packet.hpp"
#include "protocol/rtmp/chunk_writer.hpp"

namespace simulcast::egress {

class RtmpWriter {
 public:
  // Pieces a gather write; two a chunk. Within the kernel's limit of 1024.
  static constexpr std::size_t kMaxPieces = RtmpFanout::kMaxPieces;
  // Bytes a gather write, give or take a chunk: what has been gathered can no longer be dropped.
  static constexpr std::size_t kMaxBytes = 256 * 1024;

  explicit RtmpWriter(rtmp::ChunkWriter& chunks);

  // Connection control (acknowledgements, pings): goes out before the packets not yet begun.
  void add_control(std::vector<std::byte>&& bytes);
  void set_stream_id(std::uint32_t stream_id) { stream_id_ = stream_id; }

  // The pieces to write next; when all earlier ones were taken, more are made from the mailbox. Empty:
  // nothing waits.
  std::span<const boost::asio::const_buffer> pieces(Mailbox& mailbox);
  // The first `bytes` bytes of the pieces were taken.
  void consume(std::size_t bytes);

  // Everything before the batch has been written, and it may go out in the chunks shared with others.
  bool can_share(const ChunkedBatch& batch) const;
  // That was done: the first `written` bytes were taken, the rest becomes pieces.
  void take_over(const ChunkedBatch& batch, std::size_t written);

  // Nothing that was begun is left: the stream of chunks stands between two messages.
  bool at_message_end() const { return next_piece_ == pieces_.size() && !current_; }
  // Stops taking packets; what was begun is still completed.
  void stop_taking() {
    taking_ = false;
    update_clean();
  }

  std::uint64_t frames_sent() const { return frames_sent_; }
  std::uint64_t media_bytes() const { return media_bytes_; }  // payload bytes turned into pieces

 private:
  void refill(Mailbox& mailbox);
  bool begin_next(Mailbox& mailbox);
  void add_header(const rtmp::ChunkHeader& header);
  void keep_rest(const ChunkedBatch& batch, std::size_t written);
  void resume();
  void clear_pieces();
  void update_clean() { clean_ = at_message_end() && control_.empty() && taking_; }
  std::uint32_t output_time(std::int64_t stream_time) const;

  // First what sharing looks at: one line of cache, for what an output costs in user space is the lines that
  // the one before it has driven out.
  bool clean_ = false;  // nothing begun, nothing queued, and willing
  bool video_ = false;
  bool shared_ = false;                    // chunks were written that chunks_ does not know of
  std::int64_t base_ = ChunkTimes::kNone;  // stream time in ms that is 0 for this destination
  ChunkTimes last_;
  std::uint64_t frames_sent_ = 0;
  std::uint64_t media_bytes_ = 0;

  rtmp::ChunkWriter& chunks_;
  std::uint32_t stream_id_ = 1;
  bool taking_ = true;

  std::vector<std::byte> control_;          // waits for the next refill
  std::vector<std::byte> control_written_;  // in pieces_
  std::vector<rtmp::ChunkHeader> headers_;  // in pieces_; never grows past its reserve
  std::vector<media::Payload> held_;        // in pieces_
  std::vector<boost::asio::const_buffer> pieces_;
  std::size_t next_piece_ = 0;

  std::optional<media::Packet> current_;  // begun, not all of it in pieces_
  std::size_t current_offset_ = 0;
};

}  // namespace simulcast::egress
