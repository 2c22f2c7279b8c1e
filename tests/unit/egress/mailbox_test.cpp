#include "egress/mailbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace simulcast::egress {
namespace {

using namespace std::chrono_literals;
using media::MediaKind;
using media::Packet;
using media::PacketRole;

Packet make(MediaKind kind, std::chrono::milliseconds dts, std::size_t size = 100, bool keyframe = false,
            PacketRole role = PacketRole::frame) {
  Packet packet;
  packet.kind = kind;
  packet.role = role;
  packet.keyframe = keyframe;
  packet.dts = packet.pts = dts;
  packet.payload = media::Payload::copy_of(std::vector<std::byte>(size));
  return packet;
}

// V = keyframe, v = other video, a = audio, H = codec header.
std::string contents(Mailbox& mailbox) {
  std::string text;
  for (; !mailbox.empty(); mailbox.pop()) {
    const Packet& packet = mailbox.front();
    text += packet.role == PacketRole::codec_header ? 'H'
            : packet.kind == MediaKind::audio       ? 'a'
            : packet.keyframe                       ? 'V'
                                                    : 'v';
  }
  return text;
}

constexpr Mailbox::Limits kSecond{media::Time(90'000), 1 << 20};

TEST(Mailbox, GivesBackInOrderAndCountsBytes) {
  Mailbox mailbox(kSecond);
  mailbox.push(make(MediaKind::video, 0ms, 1000, true));
  mailbox.push(make(MediaKind::audio, 20ms));
  EXPECT_GE(mailbox.bytes(), 1100U);
  EXPECT_EQ(mailbox.span(), 20ms);
  EXPECT_EQ(contents(mailbox), "Va");
  EXPECT_EQ(mailbox.bytes(), 0U);
}

TEST(Mailbox, TooLongDropsTheOldestGopsWholeAndKeepsHeaders) {
  Mailbox mailbox(kSecond);
  mailbox.push(make(MediaKind::video, 0ms, 10, false, PacketRole::codec_header));
  for (int t = 0; t <= 1500; t += 100) {
    mailbox.push(make(MediaKind::video, std::chrono::milliseconds(t), 100, t % 500 == 0));
    mailbox.push(make(MediaKind::audio, std::chrono::milliseconds(t)));
  }
  EXPECT_GT(mailbox.frames_dropped(), 0U);
  EXPECT_EQ(mailbox.frames_dropped() % 5, 0U) << "whole GOPs of five frames";
  EXPECT_LE(mailbox.span(), 1s);
  const std::string left = contents(mailbox);
  EXPECT_EQ(left.substr(0, 2), "HV");
}

TEST(Mailbox, WithoutALaterKeyframeEverythingGoesUntilTheNext) {
  Mailbox mailbox(kSecond);
  for (int t = 0; t <= 1100; t += 100)
    mailbox.push(make(MediaKind::video, std::chrono::milliseconds(t), 100, t == 0));
  EXPECT_TRUE(mailbox.empty());
  EXPECT_EQ(mailbox.frames_dropped(), 12U);
  mailbox.push(make(MediaKind::video, 1200ms));
  EXPECT_TRUE(mailbox.empty());
  EXPECT_EQ(mailbox.frames_dropped(), 13U);
  mailbox.push(make(MediaKind::video, 1300ms, 100, true));
  mailbox.push(make(MediaKind::video, 1400ms));
  EXPECT_EQ(contents(mailbox), "Vv");
}

TEST(Mailbox, BoundInBytes) {
  Mailbox mailbox({media::Time(90'000'000), 10'000});
  mailbox.push(make(MediaKind::video, 0ms, 4000, true));
  mailbox.push(make(MediaKind::video, 40ms, 4000));
  mailbox.push(make(MediaKind::video, 80ms, 4000, true));
  EXPECT_LE(mailbox.bytes(), 10'000U);
  EXPECT_EQ(contents(mailbox), "V");
  EXPECT_EQ(mailbox.frames_dropped(), 2U);
}

TEST(Mailbox, StartMayBeLongerThanTheBound) {
  Mailbox mailbox(kSecond);
  mailbox.begin_start();
  for (int t = 0; t <= 5000; t += 100)
    mailbox.push(make(MediaKind::video, std::chrono::milliseconds(t), 100, t == 0));
  mailbox.end_start();
  EXPECT_EQ(mailbox.frames_dropped(), 0U);
  for (int t = 5100; t <= 5900; t += 100) mailbox.push(make(MediaKind::video, std::chrono::milliseconds(t)));
  EXPECT_EQ(mailbox.frames_dropped(), 0U);
  EXPECT_EQ(mailbox.size(), 60U);
  mailbox.push(make(MediaKind::video, 6100ms));
  EXPECT_GT(mailbox.frames_dropped(), 0U) << "the bound counts from the start on";
}

TEST(Mailbox, BoundIsBackOnceTheStartHasBeenSent) {
  Mailbox mailbox(kSecond);
  mailbox.begin_start();
  for (int t = 0; t <= 5000; t += 100)
    mailbox.push(make(MediaKind::video, std::chrono::milliseconds(t), 100, t == 0));
  mailbox.end_start();
  while (!mailbox.empty()) mailbox.pop();
  for (int t = 6000; t <= 7100; t += 100) {
    mailbox.push(make(MediaKind::video, std::chrono::milliseconds(t), 100, t == 6000));
  }
  EXPECT_EQ(mailbox.frames_dropped(), 12U);
}

TEST(Mailbox, AudioOnlyDropsTheOldest) {
  Mailbox mailbox(kSecond);
  for (int t = 0; t <= 3000; t += 20) mailbox.push(make(MediaKind::audio, std::chrono::milliseconds(t)));
  EXPECT_LE(mailbox.span(), 1s);
  EXPECT_FALSE(mailbox.empty());
  EXPECT_GT(mailbox.frames_dropped(), 0U);
}

// M = metadata, then the track, for headers; frames as in contents().
std::string detailed(Mailbox& mailbox) {
  std::string text;
  for (; !mailbox.empty(); mailbox.pop()) {
    const Packet& packet = mailbox.front();
    if (packet.role == PacketRole::metadata) {
      text += 'M';
    } else if (packet.role == PacketRole::codec_header) {
      text += (packet.kind == MediaKind::video ? 'H' : 'h') + std::to_string(packet.track) + ":" +
              std::to_string(packet.payload.size());
    } else {
      text += packet.kind == MediaKind::audio ? 'a' : packet.keyframe ? 'V' : 'v';
    }
    text += ' ';
  }
  return text;
}

Packet header(MediaKind kind, std::chrono::milliseconds dts, std::uint8_t track, std::size_t size,
              PacketRole role = PacketRole::codec_header) {
  Packet packet = make(kind, dts, size, false, role);
  packet.track = track;
  return packet;
}

TEST(Mailbox, OfTheHeadersLetGoTheNewestOfEachKindAndTrackAreKept) {
  Mailbox mailbox(kSecond);
  mailbox.push(header(MediaKind::data, 0ms, 0, 5, PacketRole::metadata));
  mailbox.push(header(MediaKind::video, 0ms, 0, 1));
  mailbox.push(header(MediaKind::audio, 0ms, 0, 2));
  mailbox.push(header(MediaKind::audio, 0ms, 1, 3));
  mailbox.push(make(MediaKind::video, 0ms, 10, true));
  mailbox.push(header(MediaKind::video, 100ms, 0, 11));
  mailbox.push(header(MediaKind::audio, 100ms, 1, 13));
  mailbox.push(header(MediaKind::data, 100ms, 0, 5, PacketRole::metadata));
  mailbox.push(make(MediaKind::video, 900ms, 10, true));
  mailbox.push(make(MediaKind::video, 1100ms, 10));
  const std::size_t payloads = 5 + 11 + 2 + 13 + 10 + 10;
  EXPECT_EQ(mailbox.bytes(), payloads + 6 * Mailbox::kOverhead);
  EXPECT_EQ(mailbox.size(), 6U);
  EXPECT_EQ(mailbox.front().dts, media::Time(900ms)) << "it applies to what follows";
  EXPECT_EQ(detailed(mailbox), "M H0:11 h0:2 h1:13 V v ");
  EXPECT_EQ(mailbox.bytes(), 0U);
  EXPECT_TRUE(mailbox.idle());
}

TEST(Mailbox, AFloodOfHeadersStaysWithinTheBoundOfBytes) {
  constexpr Mailbox::Limits kLimits{media::Time(90'000), 100'000};
  Mailbox mailbox(kLimits);
  for (int i = 0; i < 100'000; ++i) {
    const auto kind = i % 3 == 0 ? MediaKind::video : MediaKind::audio;
    const auto role = i % 7 == 0 ? PacketRole::metadata : PacketRole::codec_header;
    mailbox.push(header(kind, std::chrono::milliseconds(i / 12), static_cast<std::uint8_t>(i % 5), 4, role));
    ASSERT_LE(mailbox.bytes(), kLimits.bytes);
    ASSERT_LE(mailbox.span(), 1s);
  }
  mailbox.push(make(MediaKind::video, 9000ms, 100, true));
  const std::string left = detailed(mailbox);
  EXPECT_EQ(left.substr(left.size() - 2), "V ");
}

TEST(Mailbox, HeadersThatFillItAloneLeaveRoomForFrames) {
  constexpr Mailbox::Limits kLimits{media::Time(90'000), 100'000};
  Mailbox mailbox(kLimits);
  for (int track = 0; track < 256; ++track) {
    mailbox.push(header(MediaKind::audio, 0ms, static_cast<std::uint8_t>(track), 1000));
    ASSERT_LE(mailbox.bytes(), kLimits.bytes);
  }
  for (int t = 0; t < 10'000; t += 100)
    mailbox.push(make(MediaKind::video, std::chrono::milliseconds(t), 100, true));
  EXPECT_LE(mailbox.bytes(), kLimits.bytes);
  EXPECT_LE(mailbox.span(), 1s);
  const std::string left = detailed(mailbox);
  EXPECT_EQ(left.substr(0, 7), "h0:1000");
  EXPECT_GE(std::ranges::count(left, 'V'), 10);
}

TEST(Mailbox, ManySmallFramesStayWithinBothBounds) {
  for (const std::size_t bytes : {std::size_t{100'000}, std::size_t{64} << 20}) {
    const Mailbox::Limits limits{media::Time(900'000), bytes};
    Mailbox mailbox(limits);
    for (int i = 0; i < 300'000; ++i) {  // 5000 a second
      mailbox.push(make(MediaKind::audio, std::chrono::milliseconds(i / 5), 4));
      ASSERT_LE(mailbox.bytes(), limits.bytes);
      ASSERT_LE(mailbox.span(), 10s);
    }
    EXPECT_GT(mailbox.frames_dropped(), 0U);
    EXPECT_GT(mailbox.size(), bytes == 100'000 ? 300U : 40'000U);
  }
}

}  // namespace
}  // namespace simulcast::egress
