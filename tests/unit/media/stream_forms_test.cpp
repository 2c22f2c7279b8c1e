// A stream that comes in one form and goes out in both.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "media/stream.hpp"

namespace simulcast::media {
namespace {

using namespace std::chrono_literals;

std::string text_of(const Payload& payload) {
  return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

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
      text += text_of(one.payload) + " ";
      times.push_back(one.dts);
    }
  }
  void left_out(const std::string& sentence) override { missing = sentence; }
  std::string text;
  std::vector<Time> times;
  std::string missing;
};

// Puts brackets around what it is given; keeps the last packet back until it is flushed.
class Brackets final : public Repackager {
 public:
  Brackets(std::vector<std::string>& calls, std::string name) : calls_(calls), name_(std::move(name)) {
    calls_.push_back(name_);
  }
  ~Brackets() override { calls_.push_back("end " + name_); }
  void push(const Packet& one, std::vector<Packet>& out) override {
    flush(out);
    held_ = one;
  }
  void flush(std::vector<Packet>& out) override {
    if (!held_) return;
    Packet made = *held_;
    held_.reset();
    const std::string text = "<" + text_of(made.payload) + ">";
    made.payload = Payload::copy_of(std::as_bytes(std::span(text)));
    out.push_back(made);
  }
  void begin_publisher() override { calls_.push_back("begin"); }
  void end_run(std::vector<Packet>& out) override { flush(out); }
  const std::string& left_out() const override { return left_out_; }

 private:
  std::vector<std::string>& calls_;
  const std::string name_;
  const std::string left_out_ = "not carried: smell";
  std::optional<Packet> held_;
};

struct StreamFormsTest : testing::Test {
  void frame(Time dts, std::string_view text, bool keyframe = false) {
    stream.publish(packet(MediaKind::video, PacketRole::frame, dts, text, keyframe), start + dts_of(dts));
    stream.flush();
  }
  static std::chrono::steady_clock::duration dts_of(Time time) {
    return std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
  }
  std::vector<std::string> calls;
  Stream stream{[this](PacketForm from, PacketForm to) -> std::unique_ptr<Repackager> {
    EXPECT_NE(from, to);
    return std::make_unique<Brackets>(calls, to == PacketForm::mpegts ? "to ts" : "to flv");
  }};
  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  Recorder flv;
  Recorder ts;
};

TEST_F(StreamFormsTest, OtherFormIsMadeOnlyWhileItIsWanted) {
  stream.attach(flv, PacketForm::flv);
  frame(0ms, "K0", true);
  EXPECT_TRUE(calls.empty());
  stream.attach(ts, PacketForm::mpegts);
  EXPECT_EQ(calls, (std::vector<std::string>{"to ts"}));
  stream.detach(ts);
  EXPECT_EQ(calls, (std::vector<std::string>{"to ts", "end to ts"}));
  frame(40ms, "p1");
  EXPECT_EQ(flv.text, "K0 p1 ");
  EXPECT_EQ(ts.text, "<K0> ");
}

TEST_F(StreamFormsTest, LateOutputOfTheOtherFormStartsFromTheCachedKeyframe) {
  stream.publish(packet(MediaKind::video, PacketRole::codec_header, 0ms, "h"));
  frame(0ms, "K0", true);
  frame(40ms, "p1");
  stream.attach(ts, PacketForm::mpegts);
  EXPECT_EQ(ts.text, "<h> <K0> <p1> ");
  frame(80ms, "p2");
  EXPECT_EQ(ts.text, "<h> <K0> <p1> <p2> ");
}

TEST_F(StreamFormsTest, SecondOutputOfTheOtherFormSharesTheConversion) {
  Recorder second;
  stream.attach(ts, PacketForm::mpegts);
  frame(0ms, "K0", true);
  stream.attach(second, PacketForm::mpegts);
  frame(40ms, "p1");
  EXPECT_EQ(calls, (std::vector<std::string>{"to ts"}));
  EXPECT_EQ(ts.text, second.text);
}

TEST_F(StreamFormsTest, OutputIsToldWhatItsFormLacks) {
  stream.attach(ts, PacketForm::mpegts);
  stream.attach(flv, PacketForm::flv);
  frame(0ms, "K0", true);
  EXPECT_EQ(ts.missing, "not carried: smell");
  EXPECT_EQ(flv.missing, "");
  Recorder late;
  stream.attach(late, PacketForm::mpegts);
  EXPECT_EQ(late.missing, "not carried: smell");
}

TEST_F(StreamFormsTest, DatagramsPassWithTheTimeOfTheirArrival) {
  stream.begin_publisher(PacketForm::mpegts);
  stream.attach(ts, PacketForm::mpegts);
  frame(5000ms, "K0", true);
  frame(5040ms, "p1");
  EXPECT_EQ(ts.text, "K0 p1 ");
  EXPECT_EQ(ts.times[1] - ts.times[0], Time(40ms));
}

TEST_F(StreamFormsTest, TimesOutOfDatagramsAreMappedToTheStreamsClock) {
  stream.begin_publisher(PacketForm::mpegts);
  stream.attach(flv, PacketForm::flv);
  frame(5000ms, "K0", true);
  frame(5040ms, "p1");
  EXPECT_EQ(flv.text, "<K0> <p1> ");
  EXPECT_EQ(flv.times[0], Time(0));
  EXPECT_EQ(flv.times[1], Time(40ms));
}

TEST_F(StreamFormsTest, JoinHeaderAndSyncOffsetAreForThoseWhoJoin) {
  stream.begin_publisher(PacketForm::mpegts);
  stream.attach(ts, PacketForm::mpegts);
  frame(0ms, "K0", true);
  stream.publish(packet(MediaKind::video, PacketRole::join_header, 0ms, "pat"));
  Packet key = packet(MediaKind::video, PacketRole::frame, 40ms, "oldK1", true);
  key.sync_offset = 3;
  stream.publish(key);
  frame(80ms, "p2");
  EXPECT_EQ(ts.text, "K0 oldK1 p2 ");
  Recorder late;
  stream.attach(late, PacketForm::mpegts);
  EXPECT_EQ(late.text, "pat K1 p2 ");
}

TEST_F(StreamFormsTest, NextPublisherInTheOtherFormTurnsTheConversionRound) {
  stream.attach(flv, PacketForm::flv);
  stream.attach(ts, PacketForm::mpegts);
  frame(0ms, "K0", true);
  frame(40ms, "p1");
  stream.begin_publisher(PacketForm::mpegts);
  frame(9000ms, "p");
  frame(9040ms, "K1", true);
  frame(9080ms, "p2");
  EXPECT_EQ(flv.text, "K0 p1 <K1> <p2> ");
  EXPECT_EQ(ts.text, "<K0> <p1> K1 p2 ");
  EXPECT_GT(flv.times[2], flv.times[1]);
  EXPECT_EQ(calls, (std::vector<std::string>{"to ts", "end to ts", "to flv"}));
}

TEST_F(StreamFormsTest, WhatWasKeptBackComesWhenThePublisherHasEnded) {
  stream.attach(ts, PacketForm::mpegts);
  stream.publish(packet(MediaKind::video, PacketRole::frame, 0ms, "K0", true));
  EXPECT_EQ(ts.text, "");
  stream.end_publisher();
  EXPECT_EQ(ts.text, "<K0> ");
  stream.end_publisher();
  EXPECT_EQ(ts.text, "<K0> ");
}

TEST_F(StreamFormsTest, NextPublisherInTheSameFormKeepsTheConversion) {
  stream.attach(ts, PacketForm::mpegts);
  frame(0ms, "K0", true);
  stream.begin_publisher(PacketForm::flv);
  frame(100ms, "p");
  frame(140ms, "K1", true);
  EXPECT_EQ(ts.text, "<K0> <K1> ");
  EXPECT_EQ(calls, (std::vector<std::string>{"to ts", "begin"}));
}

}  // namespace
}  // namespace simulcast::media
