#include "protocol/mpegts/muxer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

extern "C" {
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/dict.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>
}

namespace simulcast::mpegts {

using media::Time;

namespace {

constexpr std::uint16_t kServicePid = 0x11;  // SDT, ETSI EN 300 468, 5.1.3
constexpr unsigned kTableVersions = 32;
// Far beyond any stream, and far from where the library's 27 MHz arithmetic overflows.
constexpr Time kLatest{std::int64_t{1} << 50};

AVCodecID codec_id(TrackCodec codec) {
  switch (codec) {
    case TrackCodec::h264:
      return AV_CODEC_ID_H264;
    case TrackCodec::h265:
      return AV_CODEC_ID_HEVC;
    case TrackCodec::aac:
      return AV_CODEC_ID_AAC;
    case TrackCodec::mp3:
      return AV_CODEC_ID_MP3;
    case TrackCodec::ac3:
      return AV_CODEC_ID_AC3;
    case TrackCodec::eac3:
      return AV_CODEC_ID_EAC3;
    case TrackCodec::opus:
      return AV_CODEC_ID_OPUS;
  }
  return AV_CODEC_ID_NONE;
}

bool set_extradata(AVCodecParameters& parameters, std::span<const std::byte> extradata) {
  if (extradata.empty()) return true;
  parameters.extradata =
      static_cast<std::uint8_t*>(av_mallocz(extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
  if (parameters.extradata == nullptr) return false;
  std::memcpy(parameters.extradata, extradata.data(), extradata.size());
  parameters.extradata_size = static_cast<int>(extradata.size());
  return true;
}

bool add_stream(AVFormatContext& context, const Track& track) {
  AVStream* stream = avformat_new_stream(&context, nullptr);
  if (stream == nullptr) return false;
  stream->id = track.pid;
  stream->time_base = {1, Time::period::den};
  AVCodecParameters& parameters = *stream->codecpar;
  parameters.codec_id = codec_id(track.codec);
  if (is_video(track.codec)) {
    parameters.codec_type = AVMEDIA_TYPE_VIDEO;
    return true;  // parameter sets are in the access units
  }
  parameters.codec_type = AVMEDIA_TYPE_AUDIO;
  parameters.sample_rate = track.sample_rate;
  av_channel_layout_default(&parameters.ch_layout, track.channels);
  return set_extradata(parameters, track.extradata);
}

// The Opus descriptor of MPEG-TS knows the channel layouts of families 0 and 1; RFC 7845, 5.1.1.
bool knows_opus_layout(const Track& track) {
  constexpr std::size_t kFamily = 18;
  const std::size_t size = track.extradata.size();
  const auto channels = static_cast<std::size_t>(std::max(track.channels, 0));
  const std::byte family = size > kFamily ? track.extradata[kFamily] : std::byte{0};
  if (family == std::byte{0}) return channels >= 1 && channels <= 2;
  return family == std::byte{1} && channels >= 1 && channels <= 8 && size >= kFamily + 3 + channels;
}

struct FreeContext {
  void operator()(AVFormatContext* context) const { avformat_free_context(context); }
};
struct FreeIo {
  void operator()(AVIOContext* io) const {
    av_freep(&io->buffer);  // the library may have put another in the place of ours
    avio_context_free(&io);
  }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};

}  // namespace

// The write callback keeps a pointer to it, so it stays in one place.
class Muxer::Impl {
 public:
  bool set_tracks(std::vector<Track> tracks);
  const std::vector<Track>& tracks() const { return tracks_; }
  bool write(const AccessUnit& unit, DatagramWriter& out);

 private:
  static int on_write(void* self, std::uint8_t* bytes, int size);
  void take_packet(std::span<const std::byte, kPacketSize> packet);
  bool make_io();
  bool make_context();
  void force_tables(bool on);
  std::optional<Time>& last_dts(std::uint16_t pid);

  std::vector<Track> tracks_;
  unsigned version_ = 0;
  bool begun_ = false;
  std::vector<std::pair<std::uint16_t, std::optional<Time>>> last_dts_;  // by PID, beyond set_tracks()

  std::unique_ptr<AVIOContext, FreeIo> io_;
  std::unique_ptr<AVFormatContext, FreeContext> context_;
  std::unique_ptr<AVPacket, FreePacket> packet_{av_packet_alloc()};

  // While write() runs.
  DatagramWriter* out_ = nullptr;
  std::uint16_t pid_ = 0;
  std::array<std::byte, kPacketSize> service_{};  // the SDT, put aside until the access unit is through
  bool service_due_ = false;
};

bool Muxer::Impl::make_io() {
  if (io_) return true;
  constexpr std::size_t kBuffer = kPacketSize;  // unused: see `direct`
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBuffer));
  if (buffer == nullptr) return false;
  io_.reset(avio_alloc_context(buffer, kBuffer, 1, this, nullptr, &on_write, nullptr));
  if (!io_) {
    av_free(buffer);
    return false;
  }
  io_->direct = AVIO_FLAG_DIRECT;  // each packet goes straight into the datagram
  return true;
}

bool Muxer::Impl::make_context() {
  AVFormatContext* made = nullptr;
  if (avformat_alloc_output_context2(&made, nullptr, "mpegts", nullptr) < 0) return false;
  std::unique_ptr<AVFormatContext, FreeContext> context(made);
  context->pb = io_.get();
  // No filters behind our back: the access units come as they have to be.
  context->flags = (context->flags | AVFMT_FLAG_CUSTOM_IO) & ~AVFMT_FLAG_AUTO_BSF;
  context->flush_packets = 0;
  context->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
  // With time stamps copied, this is what the clock reference is behind the DTS, and nothing else.
  context->max_delay = static_cast<int>(
      std::chrono::duration_cast<std::chrono::duration<int, std::ratio<1, AV_TIME_BASE>>>(kDecoderLead)
          .count());
  av_dict_set(&context->metadata, "service_name", "simulcastd", 0);
  av_dict_set(&context->metadata, "service_provider", "simulcastd", 0);
  for (const Track& track : tracks_) {
    if (!add_stream(*context, track)) return false;
  }

  AVDictionary* options = nullptr;
  const auto microseconds = [](std::chrono::microseconds period) { return period.count(); };
  av_dict_set(&options, "mpegts_copyts", "1", 0);
  av_dict_set(&options, "pes_payload_size", "0", 0);
  av_dict_set_int(&options, "pcr_period", kClockPeriod.count(), 0);
  // A duration given as a bare number would be taken for seconds.
  av_dict_set(&options, "pat_period", (std::to_string(microseconds(kTablesPeriod)) + "us").c_str(), 0);
  av_dict_set(&options, "sdt_period", (std::to_string(microseconds(kServicePeriod)) + "us").c_str(), 0);
  av_dict_set_int(&options, "mpegts_pmt_start_pid", kTablesPid, 0);
  av_dict_set_int(&options, "tables_version", static_cast<std::int64_t>(version_), 0);
  if (begun_) av_dict_set(&options, "mpegts_flags", "initial_discontinuity", 0);
  const int result = avformat_write_header(context.get(), &options);
  av_dict_free(&options);
  if (result < 0) return false;
  context_ = std::move(context);
  return true;
}

bool Muxer::Impl::set_tracks(std::vector<Track> tracks) {
  context_.reset();
  tracks_ = std::move(tracks);
  if (begun_) version_ = (version_ + 1) % kTableVersions;
  if (tracks_.empty() || !packet_ || !make_io() || !make_context()) {
    tracks_.clear();
    return false;
  }
  begun_ = true;
  return true;
}

std::optional<Time>& Muxer::Impl::last_dts(std::uint16_t pid) {
  const auto found = std::ranges::find(last_dts_, pid, [](const auto& entry) { return entry.first; });
  if (found != last_dts_.end()) return found->second;
  return last_dts_.emplace_back(pid, std::nullopt).second;
}

int Muxer::Impl::on_write(void* self, std::uint8_t* bytes, int size) {
  auto rest = std::as_bytes(std::span(bytes, static_cast<std::size_t>(size)));
  for (; rest.size() >= kPacketSize; rest = rest.subspan(kPacketSize)) {
    static_cast<Impl*>(self)->take_packet(rest.first<kPacketSize>());
  }
  return size;
}

void Muxer::Impl::take_packet(std::span<const std::byte, kPacketSize> packet) {
  if (out_ == nullptr) return;
  const auto start = std::to_integer<unsigned>(packet[1]);
  const unsigned pid = (start & 0x1F) << 8 | std::to_integer<unsigned>(packet[2]);
  if (pid == kServicePid) {
    // The library sends it ahead of PAT and PMT, where whoever joins could not make use of it.
    std::ranges::copy(packet, service_.begin());
    service_due_ = true;
    return;
  }
  constexpr unsigned kPayloadUnitStart = 0x40;
  out_->append(packet, pid == pid_ && (start & kPayloadUnitStart) != 0);
}

// The library's own rule leaves the tables out where keyframe follows keyframe; its "resend_headers" would
// bring the SDT along each time.
void Muxer::Impl::force_tables(bool on) {
  av_opt_set(context_->priv_data, "mpegts_flags", on ? "pat_pmt_at_frames" : "0", 0);
}

bool Muxer::Impl::write(const AccessUnit& unit, DatagramWriter& out) {
  if (!context_ || unit.track >= tracks_.size() || unit.data.empty()) return false;
  if (unit.dts < -kLatest || unit.dts > kLatest || unit.pts < -kLatest || unit.pts > kLatest) return false;
  const Track& track = tracks_[unit.track];
  std::optional<Time>& last = last_dts(track.pid);
  Time dts = std::max(unit.dts + kClockStart, kDecoderLead);
  if (last) dts = std::max(dts, *last + Time{1});
  const Time pts = std::max(unit.pts + kClockStart, dts);

  // Without a reference-counted buffer the library uses the bytes where they are and only during the call; it
  // does not write to them.
  packet_->data = const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(unit.data.data()));
  packet_->size = static_cast<int>(unit.data.size());
  packet_->stream_index = static_cast<int>(unit.track);
  packet_->dts = dts.count();
  packet_->pts = pts.count();
  packet_->flags = unit.keyframe ? AV_PKT_FLAG_KEY : 0;

  out_ = &out;
  pid_ = track.pid;
  const bool tables = unit.keyframe && is_video(track.codec);
  if (tables) force_tables(true);
  int result = av_write_frame(context_.get(), packet_.get());
  if (tables) force_tables(false);
  // Audio frames of up to 170 bytes would wait for the next ones, even with the smallest PES size.
  if (result >= 0 && !is_video(track.codec)) result = av_write_frame(context_.get(), nullptr);
  if (std::exchange(service_due_, false)) out.append(service_, false);
  out_ = nullptr;
  packet_->data = nullptr;
  packet_->size = 0;
  if (result < 0) return false;
  last = dts;
  return true;
}

Muxer::Muxer() : impl_(std::make_unique<Impl>()) {}
Muxer::~Muxer() = default;
Muxer::Muxer(Muxer&&) noexcept = default;
Muxer& Muxer::operator=(Muxer&&) noexcept = default;

bool Muxer::carries(const Track& track) {
  if (track.codec == TrackCodec::opus && !knows_opus_layout(track)) return false;
  return Impl().set_tracks({track});
}

bool Muxer::set_tracks(std::vector<Track> tracks) {
  return impl_->set_tracks(std::move(tracks));
}

const std::vector<Track>& Muxer::tracks() const {
  return impl_->tracks();
}

bool Muxer::write(const AccessUnit& unit, DatagramWriter& out) {
  return impl_->write(unit, out);
}

}  // namespace simulcast::mpegts
