// Makes MPEG-TS datagrams of FLV tag bodies: what an SRT output sends of a stream that came by RTMP.
//
// Every datagram is a packet of role `frame`, of at most 1316 bytes; a keyframe of the first video track
// begins a datagram, PAT and PMT ahead of it, and is marked on it. `dts` is the stream time of the access
// unit that the datagram begins with or continues. `frames` counts the video access units that begin in it,
// or those of audio in a stream without video.
//
// Video leaves at once; audio waits for the next video, to ride in its first datagram, until the stream is
// kMaxRide further. (There is no clock here: if all ends with such a frame, it leaves with what comes next.)
// What it cannot carry is named in left_out() (several tracks in one message among it), what makes no sense
// is counted. Owned by media::Stream; lives on the stream's shard.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "media/repackager.hpp"
#include "protocol/flv/tag_body.hpp"
#include "protocol/mpegts/datagram_writer.hpp"
#include "protocol/mpegts/muxer.hpp"
#include "repackage/to_annex_b.hpp"

namespace simulcast::repackage {

class FlvToTs final : public media::Repackager {
 public:
  static constexpr media::Time kMaxRide = std::chrono::milliseconds{20};
  // Video that is this far behind the audio has stopped; nothing waits for it.
  static constexpr media::Time kVideoStopped = std::chrono::milliseconds{100};
  // Audio that comes ahead of the first keyframe waits for it this long, and in this number.
  static constexpr media::Time kMaxWaiting = std::chrono::seconds{1};
  static constexpr std::size_t kMaxWaitingFrames = 256;
  static constexpr std::size_t kMaxTracks = 16;
  static constexpr std::size_t kMaxAudioFrame = 32 * 1024;  // a PES packet with a length holds 64 KiB
  // Frames shown before they are decoded by more than this are not believed.
  static constexpr media::Time kMaxReorder = std::chrono::seconds{2};

  void push(const media::Packet& packet, std::vector<media::Packet>& out) override;
  void flush(std::vector<media::Packet>& out) override;
  void begin_publisher() override;
  void end_run(std::vector<media::Packet>& out) override;
  const std::string& left_out() const override { return left_out_; }

  // Headers and frames left out because they make no sense.
  std::uint64_t malformed() const { return malformed_; }

 private:
  using TrackId = std::pair<media::MediaKind, std::uint8_t>;

  struct Track {
    mpegts::Track entry;              // for the muxer
    std::optional<ToAnnexB> annex_b;  // of video
    bool announced = false;           // by its header or a first frame, by this publisher
    bool in_tables = false;           // belongs into the program
    bool running = false;             // video: a keyframe of this publisher has come
    std::size_t position = 0;         // in the muxer, once the tables are up to date
    media::Time reorder{};            // how far its DTS is moved ahead: see times_of()
  };

  void video(const media::Packet& packet, std::vector<media::Packet>& out);
  void audio(const media::Packet& packet, std::vector<media::Packet>& out);
  void video_header(TrackId id, nal::Codec codec, std::span<const std::byte> record);
  void audio_header(TrackId id, mpegts::Track&& entry);
  void video_frame(const media::Packet& packet, TrackId id, nal::Codec codec, const flv::VideoTag& tag,
                   std::vector<media::Packet>& out);
  void audio_frame(const media::Packet& packet, TrackId id, mpegts::TrackCodec codec,
                   std::span<const std::byte> data, std::vector<media::Packet>& out);

  Track* find(TrackId id);
  Track* find_or_add(TrackId id);
  void remove(TrackId id);
  bool waits_for_video() const;
  void start(bool with_video);
  void release_waiting(std::vector<media::Packet>& out);
  bool update_tables(std::vector<media::Packet>& out);
  void write(const media::Packet& packet, TrackId id, Track& track, bool keyframe,
             std::span<const std::byte> data, std::vector<media::Packet>& out);
  void hand_out(std::vector<media::Packet>& out);
  void leave_out(TrackId id, std::string_view what);
  void carry(TrackId id);
  void tell_left_out();

  std::map<TrackId, Track> tracks_;  // in the order of the tables: video first
  std::map<TrackId, std::string> not_carried_;
  std::string left_out_;
  std::uint64_t malformed_ = 0;

  mpegts::Muxer muxer_;
  mpegts::DatagramWriter datagrams_;
  bool tables_stale_ = false;
  bool has_video_ = false;  // in the tables

  bool starting_ = true;                // until the first frame of a publisher that decoding can start from
  std::vector<media::Packet> waiting_;  // audio ahead of it
  media::Time newest_{};                // of any track
  media::Time newest_video_{};
};

}  // namespace simulcast::repackage
