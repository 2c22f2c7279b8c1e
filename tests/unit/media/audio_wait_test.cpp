#include "media/audio_wait.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <string>

#include "media/stream.hpp"

namespace simulcast::media {
namespace {

using namespace std::chrono_literals;

Packet frame(MediaKind kind, Time dts, bool keyframe = false) {
  Packet made;
  made.kind = kind;
  made.dts = made.pts = dts;
  made.keyframe = keyframe;
  made.payload = Payload::copy_of(std::as_bytes(std::span("x", 1)));
  return made;
}

// Writes down what came together: V a video frame, a an audio frame, d data.
class Writes final : public Output {
 public:
  void take(const Batch& batch) override {
    for (const Packet& packet : batch.packets) text += "Vad"[static_cast<int>(packet.kind)];
    text += ' ';
  }
  std::string text;
};

struct AudioWaitTest : testing::Test {
  explicit AudioWaitTest(std::chrono::milliseconds longest = 25ms)
      : audio_wait(context.get_executor(), longest), stream({}, &audio_wait) {}

  void send(MediaKind kind, bool keyframe = false) {
    stream.publish(frame(kind, time += 5ms, keyframe));
    stream.flush();
  }
  void begin() {
    stream.attach(output);
    send(MediaKind::video, true);
    output.text.clear();
  }

  boost::asio::io_context context;
  AudioWait audio_wait;
  Stream stream;
  Writes output;
  Time time{};
};

TEST_F(AudioWaitTest, AudioAndDataGoOutWithTheNextVideoFrameInTheirOrder) {
  begin();
  send(MediaKind::audio);
  send(MediaKind::data);
  send(MediaKind::audio);
  EXPECT_EQ(output.text, "");
  send(MediaKind::video);
  EXPECT_EQ(output.text, "adaV ");
  send(MediaKind::video);
  EXPECT_EQ(output.text, "adaV V ");
}

TEST_F(AudioWaitTest, NoVideoFrameInTimeAndTheyGoOutByThemselves) {
  begin();
  const auto began = std::chrono::steady_clock::now();
  send(MediaKind::audio);
  send(MediaKind::audio);
  context.run_one();
  EXPECT_EQ(output.text, "aa ");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 25ms);
  EXPECT_EQ(context.run(), 0u) << "the timer runs although nothing waits";
}

TEST_F(AudioWaitTest, EachWaitIsAsLongAsTheOthersThoughTheTimerRunsOn) {
  begin();
  send(MediaKind::audio);
  send(MediaKind::video);
  output.text.clear();
  const auto began = std::chrono::steady_clock::now();
  send(MediaKind::audio);
  while (output.text.empty()) ASSERT_EQ(context.run_one(), 1u);
  EXPECT_EQ(output.text, "a ");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 25ms);
}

TEST_F(AudioWaitTest, WithoutVideoThereIsNothingToWaitFor) {
  stream.attach(output);
  while (output.text.empty()) send(MediaKind::audio);
  output.text.clear();
  send(MediaKind::audio);
  EXPECT_EQ(output.text, "a ");
}

TEST_F(AudioWaitTest, TheEndOfThePublisherEndsTheWait) {
  begin();
  send(MediaKind::audio);
  stream.end_publisher();
  EXPECT_EQ(output.text, "a ");
  send(MediaKind::audio);
  stream.begin_publisher();
  EXPECT_EQ(output.text, "a a ");
}

TEST_F(AudioWaitTest, AStreamThatGoesIsForgotten) {
  {
    Writes short_lived;
    Stream other({}, &audio_wait);
    other.attach(short_lived);
    other.publish(frame(MediaKind::video, 0ms, true));
    other.publish(frame(MediaKind::audio, 0ms));
    other.flush();
    other.publish(frame(MediaKind::audio, 5ms));
    other.flush();
  }
  begin();
  send(MediaKind::audio);
  context.run();
  EXPECT_EQ(output.text, "a ");
}

struct NoAudioWaitTest : AudioWaitTest {
  NoAudioWaitTest() : AudioWaitTest(0ms) {}
};

TEST_F(NoAudioWaitTest, EverythingGoesOutAtOnce) {
  begin();
  send(MediaKind::audio);
  EXPECT_EQ(output.text, "a ");
}

}  // namespace
}  // namespace simulcast::media
