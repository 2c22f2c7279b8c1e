// A show by SRT and its last picture: whole, it goes out by RTMP, whether the encoder said goodbye or not;
// cut off, the show ends with the one before.
#include <gtest/gtest.h>

#include <algorithm>

#include "media/stream.hpp"
#include "protocol/flv/tag_body.hpp"
#include "protocol/mpegts/packet.hpp"
#include "repackage/make_repackager.hpp"
#include "tests/unit/protocol/bytes.hpp"
#include "tests/unit/protocol/ts_writer.hpp"

extern "C" {
#include <libavutil/log.h>
}

namespace simulcast::repackage {
namespace {

using media::MediaKind;
using media::Packet;
using media::PacketForm;
using media::PacketRole;
using test::annex_b;
using test::ByteVector;
using test::TsWriter;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions
using Clock = media::Timeline::Clock;
using std::chrono::milliseconds;

constexpr unsigned kPmt = 0x1000;
constexpr unsigned kVideo = 0x100;
constexpr unsigned kAudio = 0x101;
constexpr std::size_t kDatagramPackets = 7;

const ByteVector kH264Key = annex_b({"\x09\xF0", "\x67\x4D\x40\x0C", "\x68\xEE", "\x65key"});
const ByteVector kH264Inter = annex_b({"\x09\xF0", "\x41inter"});

struct Codec {
  unsigned stream_type;
  ByteVector key;
  ByteVector inter;
};

Codec h264() {
  return {0x1B, kH264Key, kH264Inter};
}

// The parameter sets and the keyframe of a recording, and a picture of the same kind.
Codec h265() {
  const auto record = test::read_fixture("h265.hvcC");
  ByteVector key;
  std::size_t at = 23;
  for (unsigned arrays = load_u8(&record[22]); arrays > 0; --arrays) {
    std::size_t count = load_u16(&record[at + 1]);
    for (at += 3; count > 0; --count) {
      const std::size_t size = load_u16(&record[at]);
      append(key, 1, 4);
      key.insert(key.end(), record.begin() + static_cast<std::ptrdiff_t>(at + 2),
                 record.begin() + static_cast<std::ptrdiff_t>(at + 2 + size));
      at += 2 + size;
    }
  }
  using namespace std::string_literals;
  return {0x24, key + annex_b({"\x26\x01key"s}), annex_b({"\x02\x01inter"s})};
}

ByteVector adts_frames(std::size_t count, std::size_t size = 200) {
  ByteVector out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t whole = size + 7;
    append(out, 0xFFF1, 2);
    append(out, 0x50, 1);  // AAC LC, 44100 Hz
    append(out, 0x80 | whole >> 11, 1);
    append(out, whole >> 3 & 0xFF, 1);
    append(out, (whole & 7) << 5 | 0x1F, 1);
    append(out, 0xFC, 1);
    out.insert(out.end(), size, std::byte{0x21});
  }
  return out;
}

class Recorder final : public media::Output {
 public:
  void take(const media::Batch& batch) override {
    for (const Packet& packet : batch.packets) {
      if (packet.role != PacketRole::frame) continue;
      (packet.kind == MediaKind::video ? pictures : sounds).push_back(packet);
    }
  }
  std::vector<Packet> pictures;
  std::vector<Packet> sounds;
};

// Fills with nothing: the end of a run is all that counts here.
class Nothing final : public media::Continuity {
 public:
  void begin_publisher() override {}
  void join(std::span<std::byte>, Clock::time_point) override {}
  void begin_filling(PacketForm, const media::Lane&, const media::Timeline&) override {}
  void fill(Clock::time_point, std::vector<Packet>&) override {}
  void end_filling() override {}
};

enum class Ending { goodbye, lost, taken_over };
constexpr Ending kEndings[] = {Ending::goodbye, Ending::lost, Ending::taken_over};

struct Show {
  explicit Show(Codec given = h264()) : codec(std::move(given)) {
    av_log_set_level(AV_LOG_QUIET);
    stream.attach(rtmp, PacketForm::flv);
    stream.begin_publisher(PacketForm::mpegts);
    auto first = writer.pat({{1, kPmt}}) + writer.pmt(kPmt, 1, {{codec.stream_type, kVideo}, {0x0F, kAudio}});
    first = first + writer.pes(kVideo, codec.key + ByteVector(900, std::byte{0xAA}),
                               {.pts = 0, .random_access = true});
    send(first);
    // Some pictures and sound that are well, from which the way of the encoder shows.
    for (std::int64_t i = 1; i <= kBefore; ++i) {
      send(picture(900 + static_cast<std::size_t>(i), i));
      send(writer.pes(kAudio, adts_frames(2), {.pts = i * 3600, .bounded = true, .stream_id = 0xC0}));
    }
    pad_datagram();
  }

  static constexpr std::int64_t kBefore = 5;  // pictures behind the first

  // `size`: of the whole PES packet, header and all.
  ByteVector picture(std::size_t size, std::int64_t number, bool bounded = false) {
    ByteVector unit = codec.inter;
    unit.resize(size - 14, std::byte{0xAA});
    return writer.pes(kVideo, unit, {.pts = number * 3600, .bounded = bounded});
  }
  ByteVector last_picture(std::size_t size, bool bounded) { return picture(size, kBefore + 1, bounded); }

  ByteVector null_packets(std::size_t count) {
    ByteVector out;
    for (std::size_t i = 0; i < count; ++i) {
      const ByteVector bytes(184, std::byte{0xFF});
      std::span<const std::byte> rest(bytes);
      out = out + writer.packet(mpegts::kNullPid, false, rest);
    }
    return out;
  }

  // In datagrams of seven packets, as encoders have it.
  void send(const ByteVector& packets) {
    waiting = waiting + packets;
    while (waiting.size() >= kDatagramPackets * 188) cut(kDatagramPackets * 188);
  }
  void pad_datagram() {
    if (!waiting.empty()) send(null_packets(kDatagramPackets - waiting.size() / 188));
  }
  void send_rest() {
    if (!waiting.empty()) cut(waiting.size());
  }
  void lose_datagram() { hole = true; }

  void end(Ending ending) {
    switch (ending) {
      case Ending::goodbye:
        return stream.end_publisher();
      case Ending::lost:
        return stream.begin_filling();
      case Ending::taken_over:
        return stream.begin_publisher(PacketForm::mpegts);
    }
  }

  bool has_last_picture() const {
    EXPECT_GE(rtmp.pictures.size(), 1U + kBefore);
    EXPECT_LE(rtmp.pictures.size(), 2U + kBefore);
    return rtmp.pictures.size() == 2U + kBefore;
  }

  Codec codec;
  TsWriter writer;
  media::Stream stream{make_repackager, nullptr, nullptr, [] { return std::make_unique<Nothing>(); }};
  Recorder rtmp;
  ByteVector waiting;
  bool hole = false;

 private:
  void cut(std::size_t size) {
    Packet packet;
    packet.kind = MediaKind::video;
    packet.after_hole = std::exchange(hole, false);
    packet.payload = media::Payload::copy_of(std::span(waiting).first(size));
    packet.keyframe = !std::exchange(begun, true);
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(size));
    if (packet.keyframe) {
      Packet tables;
      tables.kind = MediaKind::video;
      tables.role = PacketRole::join_header;
      tables.payload = packet.payload.slice(0, 2 * 188);
      stream.publish(tables);
    }
    stream.publish(std::move(packet));
    stream.flush();
  }
  bool begun = false;
};

// Sizes of the last picture's PES packet, in seven packets of TS: filled, but for one byte, but for two, by
// half.
constexpr std::size_t kFilled = 7 * 184;

struct Case {
  std::size_t size;
  bool bounded;
  bool is_h265;
  Ending ending;
};

std::vector<Case> cases(std::initializer_list<std::size_t> sizes) {
  std::vector<Case> all;
  for (const std::size_t size : sizes) {
    for (const bool bounded : {false, true}) {
      for (const bool is_h265 : {false, true}) {
        for (const Ending ending : kEndings) all.push_back({size, bounded, is_h265, ending});
      }
    }
  }
  return all;
}

std::string text_of(const Case& one) {
  return std::to_string(one.size) + (one.bounded ? " with a length" : " without a length") +
         (one.is_h265 ? ", H.265" : ", H.264") + ", ending " + std::to_string(static_cast<int>(one.ending));
}

Codec codec_of(const Case& one) {
  return one.is_h265 ? h265() : h264();
}

TEST(LastPicture, GoesOutWhenItIsWhole) {
  for (const Case& one : cases({kFilled - 1, kFilled - 2, kFilled - 100, 14 + 60})) {
    Show show(codec_of(one));
    show.send(show.last_picture(one.size, one.bounded));
    show.send_rest();
    show.end(one.ending);
    EXPECT_TRUE(show.has_last_picture()) << text_of(one);
  }
}

TEST(LastPicture, FilledExactlyAndFollowedByNullPacketsGoesOut) {
  for (const Case& one : cases({kFilled})) {
    Show show(codec_of(one));
    show.send(show.last_picture(one.size, one.bounded));
    show.send(show.null_packets(kDatagramPackets * 10));
    show.end(one.ending);
    EXPECT_TRUE(show.has_last_picture()) << text_of(one);
  }
}

TEST(LastPicture, FilledExactlyAndFollowedBySoundGoesOut) {
  for (const Case& one : cases({kFilled})) {
    Show show(codec_of(one));
    show.send(show.last_picture(one.size, one.bounded));
    show.send(show.writer.pes(kAudio, adts_frames(1), {.pts = 30'000, .bounded = true, .stream_id = 0xC0}));
    show.send_rest();
    show.end(one.ending);
    EXPECT_TRUE(show.has_last_picture()) << text_of(one);
  }
}

TEST(LastPicture, FilledExactlyInAShortDatagramGoesOut) {
  for (const Case& one : cases({kFilled - 184})) {
    Show show(codec_of(one));
    show.send(show.last_picture(one.size, one.bounded));
    show.send_rest();
    show.end(one.ending);
    EXPECT_TRUE(show.has_last_picture()) << text_of(one);
  }
}

TEST(LastPicture, FilledExactlyInAWholeDatagramWithoutLengthCountsAsCut) {
  for (const Case& one : cases({kFilled})) {
    Show show(codec_of(one));
    show.send(show.last_picture(one.size, one.bounded));
    ASSERT_TRUE(show.waiting.empty());
    show.end(one.ending);
    EXPECT_EQ(show.has_last_picture(), one.bounded) << text_of(one);
  }
}

TEST(LastPicture, CutOffWhereADatagramEndsStaysBehind) {
  for (const Case& one : cases({3 * kFilled, 3 * kFilled - 1, 2 * kFilled + 1})) {
    for (const std::size_t datagrams : {1U, 2U}) {
      Show show(codec_of(one));
      auto picture = show.last_picture(one.size, one.bounded);
      picture.resize(datagrams * kDatagramPackets * 188);
      show.send(picture);
      show.end(one.ending);
      EXPECT_FALSE(show.has_last_picture()) << text_of(one) << ", datagrams " << datagrams;
    }
  }
}

TEST(LastPicture, WithAHoleInItStaysBehind) {
  for (const Case& one : cases({3 * kFilled, 3 * kFilled - 1})) {
    for (const std::size_t missing : {0U, 1U, 2U}) {  // datagram
      Show show(codec_of(one));
      const auto picture = show.last_picture(one.size, one.bounded);
      for (std::size_t datagram = 0; datagram < 3; ++datagram) {
        const auto begin = picture.begin() + static_cast<std::ptrdiff_t>(datagram * kDatagramPackets * 188);
        if (datagram == missing) {
          show.lose_datagram();
        } else {
          show.send({begin, begin + kDatagramPackets * 188});
        }
      }
      show.send(show.null_packets(kDatagramPackets * 10));
      show.end(one.ending);
      // Without its beginning the rest looks like more of the picture before, which is then torn as well.
      EXPECT_EQ(show.rtmp.pictures.size(), missing == 0 ? Show::kBefore : 1U + Show::kBefore)
          << text_of(one) << ", missing " << missing;
    }
  }
}

TEST(LastPicture, AHoleBeforeItHurtsItNot) {
  for (const Case& one : cases({kFilled - 1, kFilled})) {
    Show show(codec_of(one));
    show.lose_datagram();
    show.send(show.null_packets(kDatagramPackets));
    show.send(show.last_picture(one.size, one.bounded));
    show.send(show.null_packets(kDatagramPackets * 10));
    show.end(one.ending);
    EXPECT_TRUE(show.has_last_picture()) << text_of(one);
  }
}

TEST(LastSound, GoesOutFrameByFrame) {
  for (const bool bounded : {false, true}) {
    for (const Ending ending : kEndings) {
      for (const std::size_t packets_missing : {0U, 1U}) {
        Show show;
        const std::size_t before = show.rtmp.sounds.size();
        auto sound = show.writer.pes(kAudio, adts_frames(3, 300),
                                     {.pts = 30'000, .bounded = bounded, .stream_id = 0xC0});
        sound.resize(sound.size() - packets_missing * 188);
        show.send(sound);
        show.send_rest();
        show.end(ending);
        EXPECT_EQ(show.rtmp.sounds.size() - before, 3U - packets_missing)
            << bounded << static_cast<int>(ending) << packets_missing;
      }
    }
  }
}

TEST(LastSound, WhatIsLeftOfAFrameIsNotPutInFrontOfWhatFollows) {
  Show show;
  auto cut = show.writer.pes(kAudio, adts_frames(2, 300), {.pts = 30'000, .stream_id = 0xC0});
  cut.resize(cut.size() - 188);
  show.send(cut);
  show.send_rest();
  show.end(Ending::lost);
  const std::size_t before = show.rtmp.sounds.size();
  // As filler follows.
  show.stream.resume_publisher();
  show.send(
      show.writer.pes(kAudio, adts_frames(2, 100), {.pts = 40'000, .bounded = true, .stream_id = 0xC0}));
  show.send_rest();
  ASSERT_EQ(show.rtmp.sounds.size() - before, 2U);
  for (std::size_t i = before; i < show.rtmp.sounds.size(); ++i) {
    EXPECT_EQ(show.rtmp.sounds[i].payload.size(), 2U + 100U);
  }
}

}  // namespace
}  // namespace simulcast::repackage
