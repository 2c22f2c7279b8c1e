// A stream between two publishers: what it is fed with, and where the next run begins.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "media/stream.hpp"

namespace simulcast::media {
namespace {

using namespace std::chrono_literals;
using Clock = Timeline::Clock;

Packet packet(MediaKind kind, PacketRole role, Time dts, std::string_view text, bool keyframe = false) {
  Packet made;
  made.kind = kind;
  made.role = role;
  made.dts = made.pts = dts;
  made.keyframe = keyframe;
  made.payload = Payload::copy_of(std::as_bytes(std::span(text)));
  return made;
}

class Recorder final : public Output {
 public:
  void take(const Batch& batch) override {
    for (const Packet& one : batch.packets) {
      text.append(reinterpret_cast<const char*>(one.payload.data()), one.payload.size());
      text += ' ';
      times.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(one.dts).count());
    }
  }
  std::string take_text() { return std::exchange(text, {}); }
  std::string text;
  std::vector<std::int64_t> times;
};

// A picture "F" for each call, at the time of the video track.
class FakeContinuity final : public Continuity {
 public:
  explicit FakeContinuity(std::string& calls) : calls_(calls) {}
  void begin_publisher() override { calls_ += "publisher "; }
  void join(std::span<std::byte>, Clock::time_point) override {}
  void begin_filling(PacketForm, const Lane& lane, const Timeline& timeline) override {
    calls_ += "begin ";
    EXPECT_TRUE(lane.ready());
    from_ = timeline.positions().front();
  }
  void fill(Clock::time_point now, std::vector<Packet>& out) override {
    if (now - from_.arrival < 500ms) return;
    out.push_back(packet(MediaKind::video, PacketRole::frame, from_.at(now), "F", true));
  }
  void end_filling() override { calls_ += "end "; }

 private:
  std::string& calls_;
  Timeline::Position from_{};
};

struct StreamFillingTest : testing::Test {
  void publish(const Packet& one) {
    stream.publish(one, now);
    stream.flush();
  }
  void headers(const std::string& which) {
    publish(packet(MediaKind::video, PacketRole::codec_header, 0ms, "avcC" + which));
    publish(packet(MediaKind::audio, PacketRole::codec_header, 0ms, "asc" + which));
  }
  void video(Time dts, std::string_view text, bool keyframe = false) {
    publish(packet(MediaKind::video, PacketRole::frame, dts, text, keyframe));
  }
  void audio(Time dts, std::string_view text) {
    publish(packet(MediaKind::audio, PacketRole::frame, dts, text));
  }
  void fill_at(Clock::time_point time) {
    now = time;
    stream.fill(now);
  }
  // A show of 100 ms.
  void first_run() {
    stream.attach(output);
    stream.begin_publisher();
    headers("1");
    video(0ms, "K1", true);
    now += 100ms;
    video(100ms, "p1");
    EXPECT_EQ(output.take_text(), "avcC1 asc1 K1 p1 ");
  }

  std::string calls;
  Stream stream{{}, nullptr, nullptr, [this] { return std::make_unique<FakeContinuity>(calls); }};
  Recorder output;
  const Clock::time_point start = Clock::time_point{} + 1h;
  Clock::time_point now = start;
};

TEST_F(StreamFillingTest, TheFirstRunBeginsWithItsKeyframeAndNothingIsFilledBefore) {
  stream.attach(output);
  stream.begin_publisher();
  EXPECT_FALSE(stream.filling());
  headers("1");
  audio(0ms, "a");
  stream.fill(now);
  EXPECT_EQ(output.text, "");
  video(20ms, "K", true);
  EXPECT_EQ(output.take_text(), "avcC1 asc1 K ");
  EXPECT_EQ(calls, "publisher ");
}

TEST_F(StreamFillingTest, FillerUntilTheKeyframeOfTheNextPublisher) {
  first_run();
  stream.begin_filling();
  EXPECT_TRUE(stream.filling());
  fill_at(start + 400ms);
  EXPECT_EQ(output.text, "");
  fill_at(start + 1100ms);
  EXPECT_EQ(output.take_text(), "F ");
  EXPECT_EQ(output.times.back(), 1100);

  stream.begin_publisher();
  headers("2");
  video(70'000ms, "p");  // in the middle of a GOP
  fill_at(start + 1600ms);
  EXPECT_EQ(output.take_text(), "F ");
  now = start + 2000ms;
  video(70'400ms, "K2", true);
  EXPECT_FALSE(stream.filling());
  EXPECT_EQ(output.take_text(), "avcC2 asc2 K2 ");
  EXPECT_EQ(output.times.back(), 2000);
  fill_at(start + 3000ms);
  EXPECT_EQ(output.text, "");
  EXPECT_EQ(calls, "publisher begin publisher end ");
}

TEST_F(StreamFillingTest, WhoJoinsMeanwhileGetsTheFiller) {
  first_run();
  stream.begin_filling();
  fill_at(start + 1100ms);
  Recorder late;
  stream.attach(late);
  EXPECT_EQ(late.text, "avcC1 asc1 F ");
}

TEST_F(StreamFillingTest, ATakeoverIsFilledUntilItsKeyframe) {
  first_run();
  stream.begin_publisher();
  EXPECT_TRUE(stream.filling());
  headers("2");
  fill_at(start + 700ms);
  EXPECT_EQ(output.take_text(), "F ");
  video(0ms, "K2", true);
  EXPECT_EQ(output.take_text(), "avcC2 asc2 K2 ");
}

TEST_F(StreamFillingTest, ASilentPublisherGoesOnWhereItWasIfNothingWasFilled) {
  first_run();
  stream.begin_filling();
  fill_at(start + 300ms);
  stream.resume_publisher();
  EXPECT_FALSE(stream.filling());
  now = start + 310ms;
  video(133ms, "p2");
  EXPECT_EQ(output.take_text(), "p2 ");
  EXPECT_EQ(output.times.back(), 133);
}

TEST_F(StreamFillingTest, ASilentPublisherGoesOnFromItsKeyframeWithItsHeadersBehindFiller) {
  first_run();
  stream.begin_filling();
  fill_at(start + 1100ms);
  output.take_text();
  stream.resume_publisher();
  now = start + 2100ms;
  video(133ms, "p2");
  EXPECT_EQ(output.text, "");
  // And falls silent once more before its keyframe.
  stream.begin_filling();
  stream.resume_publisher();
  video(166ms, "K3", true);
  EXPECT_EQ(output.take_text(), "avcC1 asc1 K3 ");
  EXPECT_EQ(output.times.back(), 2100);
  video(199ms, "p4");
  EXPECT_EQ(output.times.back(), 2133);
}

TEST_F(StreamFillingTest, AStreamThatNeverShowedAnythingHasNothingToFillWith) {
  stream.attach(output);
  stream.begin_publisher();
  headers("1");
  stream.begin_filling();
  EXPECT_FALSE(stream.filling());
  stream.fill(now);
  EXPECT_EQ(output.text, "");
}

TEST_F(StreamFillingTest, ARunOfAudioAloneBeginsWhenNoVideoHasShown) {
  stream.attach(output);
  stream.begin_publisher();
  for (int i = 0; i < 60; ++i) {
    now += 20ms;
    audio(Time(std::chrono::milliseconds(20 * i)), "a");
  }
  EXPECT_FALSE(output.text.empty());
  EXPECT_EQ(output.times.front(), 0);
  EXPECT_EQ(output.times.back(), 59 * 20);
}

}  // namespace
}  // namespace simulcast::media
