#include "egress/mailbox.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace simulcast::egress
