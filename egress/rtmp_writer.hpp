// Turns waiting packets into the pieces of a gather write: chunk headers from scratch memory, payload slices
// as they are.
//
// Holds the payloads until their bytes have been taken. A message too long for one write is continued in the
// next. Owned by an RtmpSink; no allocation in steady state, no copy of a payload.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "egress/mailbox.hpp"
#include "media/packet.hpp"
#include "protocol/rtmp/chunk_writer.hpp"

namespace simulcast::egress {

class RtmpWriter {
 public:
  // Pieces a gather write; two a chunk. Within the kernel's limit of 1024.
  static constexpr std::size_t kMaxPieces = 256;
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

  // Nothing that was begun is left: the stream of chunks stands between two messages.
  bool at_message_end() const { return next_piece_ == pieces_.size() && !current_; }
  // Stops taking packets; what was begun is still completed.
  void stop_taking() { taking_ = false; }

  std::uint64_t frames_sent() const { return frames_sent_; }
  std::uint64_t media_bytes() const { return media_bytes_; }  // payload bytes turned into pieces

 private:
  void refill(Mailbox& mailbox);
  bool begin_next(Mailbox& mailbox);
  void add_header(const rtmp::ChunkHeader& header);
  std::uint32_t output_time(const media::Packet& packet) const;

  rtmp::ChunkWriter& chunks_;
  std::uint32_t stream_id_ = 1;
  std::optional<media::Time> base_;  // stream time that is 0 for this destination
  bool video_ = false;
  bool taking_ = true;

  std::vector<std::byte> control_;          // waits for the next refill
  std::vector<std::byte> control_written_;  // in pieces_
  std::vector<rtmp::ChunkHeader> headers_;  // in pieces_; never grows past its reserve
  std::vector<media::Payload> held_;        // in pieces_
  std::vector<boost::asio::const_buffer> pieces_;
  std::size_t next_piece_ = 0;

  std::optional<media::Packet> current_;  // begun, not all of it in pieces_
  std::size_t current_offset_ = 0;

  std::uint64_t frames_sent_ = 0;
  std::uint64_t media_bytes_ = 0;
};

}  // namespace simulcast::egress
