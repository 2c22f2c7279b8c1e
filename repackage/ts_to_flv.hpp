// MPEG-TS datagrams in, FLV tag bodies out: what an RTMP output of an SRT input sends.
//
// One program is carried: its first H.264 or H.265 video (the latter as Enhanced RTMP) and its first AAC or
// MP3 audio; left_out() names the rest. Times are those of the PES headers, unwrapped, each cut to whole
// milliseconds by itself, so that every RTMP output is on the same grid. Lives on the stream's shard, owned
// by media::Stream. Bad media is left out and counted; only a lack of memory throws.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/repackager.hpp"
#include "protocol/mpegts/demuxer.hpp"
#include "repackage/ts_audio.hpp"
#include "repackage/ts_video.hpp"

namespace simulcast::repackage {

class TsToFlv final : public media::Repackager, private mpegts::Demuxer::Handler {
 public:
  TsToFlv();

  void push(const media::Packet& packet, std::vector<media::Packet>& out) override;
  // Nothing to do: a frame is given out with the packet that completes it.
  void flush(std::vector<media::Packet>& out) override;
  void begin_publisher() override;
  void end_run(std::vector<media::Packet>& out) override;
  const std::string& left_out() const override { return left_out_; }

  // Packets, frames and headers that made no sense, of all publishers.
  std::uint64_t broken() const;

 private:
  void on_program(const mpegts::Program& program) override;
  void on_pes(const mpegts::Pes& pes) override;

  void choose_tracks();
  void choose_video(std::uint16_t pid, mpegts::Codec codec);
  void choose_audio(std::uint16_t pid, mpegts::Codec codec);
  void describe_left_out();
  void push_video(const mpegts::Pes& pes);
  void push_audio(const mpegts::Pes& pes);
  void emit(media::MediaKind kind, media::PacketRole role, media::Payload&& payload, media::Time dts);
  void emit_metadata(media::Time dts);
  // What onMetaData tells.
  struct Description {
    std::optional<nal::Codec> video;
    std::optional<Picture> picture;
    std::optional<TsAudio::Format> audio;
    bool operator==(const Description&) const = default;
  };
  static media::Payload make_metadata(const Description& description);

  // Given by the caller, during push()
  std::vector<media::Packet>* out_ = nullptr;

  // Owned, for one publisher
  std::unique_ptr<mpegts::Demuxer> demuxer_;
  std::optional<TsVideo> video_;
  std::optional<TsAudio> audio_;

  // State
  mpegts::Program program_;
  std::uint16_t video_pid_ = mpegts::kNullPid;
  std::uint16_t audio_pid_ = mpegts::kNullPid;
  mpegts::Codec audio_codec_ = mpegts::Codec::other;
  struct Refused {
    std::uint16_t pid;
    const char* name;
  };
  std::vector<Refused> refused_;  // audio that only showed in its frames what it is
  std::optional<media::Time> last_video_;
  std::optional<Description> described_;  // last sent
  std::string left_out_;
  std::uint64_t broken_before_ = 0;  // by tracks and demuxers that are gone
};

}  // namespace simulcast::repackage
