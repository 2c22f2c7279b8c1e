#include "ctl/table.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "ctl/figures.hpp"

namespace simulcast::ctl {
namespace {

TEST(Table, AlignsByCharactersAndNotByBytes) {
  Table table({"NAME", "STATE"});
  table.add({"Frühschicht", "live"});
  table.add({"b", "idle"});
  std::ostringstream out;
  table.print(out);
  EXPECT_EQ(out.str(), "NAME         STATE\nFrühschicht  live\nb            idle\n");
}

TEST(Table, NothingThatATerminalObeysIsPrinted) {
  EXPECT_EQ(printable("a\x1b[2Jb\x07\r\nc\x7f"), "a [2Jb   c ");
  EXPECT_EQ(printable("a\xC2\x9B"
                      "2Jb"),
            "a 2Jb");
  EXPECT_EQ(printable("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
}

TEST(Figures, AddressesShowNoSecrets) {
  EXPECT_EQ(without_secrets("rtmp://live.example.com/app"), "rtmp://live.example.com/app");
  EXPECT_EQ(without_secrets("srt://h:1?passphrase=secret&latency=200"), "srt://h:1?***");
  EXPECT_EQ(without_secrets("rtmp://user:secret@h/app"), "rtmp://h/app");
  EXPECT_EQ(without_secrets("nonsense secret"), "***");
}

TEST(Figures, WhatComesInInWords) {
  const boost::json::value stats{{"bitrate", 2'540'000},
                                 {"videoCodec", "h264"},
                                 {"videoProfile", "High"},
                                 {"videoLevel", "4.1"},
                                 {"width", 1920},
                                 {"height", 1080},
                                 {"fps", 29.97},
                                 {"keyframeIntervalMs", 2000},
                                 {"audioCodec", "aac"},
                                 {"audioProfile", "LC"},
                                 {"audioSampleRate", 48000},
                                 {"audioChannels", 2}};
  EXPECT_EQ(bitrate_of(stats), "2.5 Mbit/s");
  EXPECT_EQ(video_of(stats), "h264 High 4.1 1920x1080 29.97 fps, keyframe every 2 s");
  EXPECT_EQ(audio_of(stats), "aac LC 48000 Hz 2 ch");
  EXPECT_EQ(video_of(nullptr), "");
}

}  // namespace
}  // namespace simulcast::ctl
