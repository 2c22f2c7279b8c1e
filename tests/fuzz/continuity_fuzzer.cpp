// A stream whose publishers come and go: filler made of what they sent, and their clocks joined. The input is
// flags and then, for MPEG-TS (flag 1), datagrams, each behind one byte of orders; for RTMP rows of
//
//   u8: orders, 16 video
//   u8: milliseconds since the one before
//   u16: length, then the body
//
// Orders: 1 the publisher has gone, 2 a new one begins, 4 the silent one is heard again, 8 time passes, with
// filler.
#include "continuity/make_continuity.hpp"
#include "ingest/ts_packets.hpp"
#include "media/stream.hpp"
#include "protocol/big_endian.hpp"
#include "protocol/flv/tag_body.hpp"
#include "repackage/make_repackager.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/ts_input.hpp"

using namespace simulcast;

namespace {

// What an output is given goes forward in time, track by track.
class Watcher final : public media::Output {
 public:
  explicit Watcher(bool datagrams) : datagrams_(datagrams) {}

  void take(const media::Batch& batch) override {
    for (const media::Packet& packet : batch.packets) {
      if (datagrams_) {
        fuzz::check(packet.payload.size() % mpegts::kPacketSize == 0);
      } else if (packet.role == media::PacketRole::frame && packet.kind != media::MediaKind::data) {
        auto& last = last_[packet.kind == media::MediaKind::video ? 1 : 0][packet.track];
        if (last) fuzz::check(packet.dts >= *last);
        last = packet.dts;
      }
    }
  }

 private:
  const bool datagrams_;
  std::optional<media::Time> last_[2][256];
};

// Its thread is started once.
continuity::Workshop& workshop() {
  static continuity::Workshop one;
  return one;
}

struct Scene {
  // Each costs some milliseconds, and is nothing that a peer could do often.
  static constexpr int kMostGone = 6;

  explicit Scene(media::PacketForm publisher) : form(publisher) {
    stream.attach(flv, media::PacketForm::flv);
    stream.attach(datagrams, media::PacketForm::mpegts);
    stream.begin_publisher(form);
  }

  void obey(std::uint32_t orders) {
    if ((orders & 1) != 0 && gone < kMostGone) {
      ++gone;
      there = false;
      stream.begin_filling();
    }
    if ((orders & 8) != 0 && gone <= kMostGone) {
      now += std::chrono::milliseconds{700};
      workshop().wait();
      stream.fill(now);
    }
    if ((orders & 4) != 0) {
      there = true;
      stream.resume_publisher();
    }
    if ((orders & 2) != 0 && gone < kMostGone) {
      ++gone;
      there = true;
      stream.begin_publisher(form);
    }
  }

  const media::PacketForm form;
  const continuity::SlateChoice no_slate;
  media::Stream stream{repackage::make_repackager, nullptr, nullptr,
                       [this] { return continuity::make_continuity(no_slate, workshop()); }};
  Watcher flv{false};
  Watcher datagrams{true};
  media::Timeline::Clock::time_point now = media::Timeline::Clock::now();
  bool there = true;  // the publisher
  int gone = 0;
};

void run_datagrams(std::span<const std::byte> rest) {
  Scene scene(media::PacketForm::mpegts);
  ingest::TsPackets packets;
  constexpr std::size_t kDatagram = 7 * mpegts::kPacketSize;
  while (rest.size() > 1) {
    scene.obey(load_u8(rest.data()));
    rest = rest.subspan(1);
    auto datagram = fuzz::with_checksums(rest.first(std::min(kDatagram, rest.size())));
    rest = rest.subspan(datagram.size());
    scene.now += std::chrono::milliseconds{5};
    if (!scene.there) continue;
    scene.stream.join(datagram, scene.now);
    auto made = packets.packets_of(media::Payload::copy_of(datagram));
    if (!made) continue;
    if (made->join_header) scene.stream.publish(std::move(*made->join_header), scene.now);
    scene.stream.publish(std::move(made->datagram), scene.now);
    scene.stream.flush();
  }
  scene.obey(1 | 8);
}

void run_tags(std::span<const std::byte> rest) {
  Scene scene(media::PacketForm::flv);
  constexpr std::size_t kHead = 4;
  media::Time time{};
  while (rest.size() >= kHead) {
    const std::uint32_t orders = load_u8(&rest[0]);
    const std::chrono::milliseconds step{load_u8(&rest[1])};
    const std::size_t length = std::min<std::size_t>(load_u16(&rest[2]), rest.size() - kHead);
    media::Packet packet;
    packet.payload = media::Payload::copy_of(rest.subspan(kHead, length));
    rest = rest.subspan(kHead + length);
    scene.obey(orders);
    scene.now += step;
    packet.dts = packet.pts = time += step;
    if (!scene.there) continue;
    bool header = false;
    if ((orders & 16) != 0) {
      const auto tag = flv::parse_video(packet.payload.bytes());
      if (tag.has_error()) continue;
      packet.kind = media::MediaKind::video;
      packet.keyframe = tag->is_keyframe;
      packet.track = tag->track;
      packet.pts += std::chrono::milliseconds{tag->composition_offset};
      header = tag->is_header;
    } else {
      const auto tag = flv::parse_audio(packet.payload.bytes());
      if (tag.has_error()) continue;
      packet.kind = media::MediaKind::audio;
      packet.track = tag->track;
      header = tag->is_header;
    }
    if (header) packet.role = media::PacketRole::codec_header;
    scene.stream.publish(std::move(packet), scene.now);
    scene.stream.flush();
  }
  scene.obey(1 | 8);
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  const auto rest = std::as_bytes(std::span(data, size)).subspan(1);
  if ((data[0] & 1) != 0) {
    run_datagrams(rest);
  } else {
    run_tags(rest);
  }
}
