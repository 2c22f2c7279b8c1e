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
  Table table({"NAME", "UID"});
  table.add({"a\x1b[2J\xE2\x80\xAE", "1"});
  table.add({"b", "2"});
  std::ostringstream out;
  table.print(out);
  EXPECT_EQ(out.str(), "NAME              UID\na\\u001b[2J\\u202e  1\nb                 2\n");
}

TEST(Table, OneLongNameDoesNotMakeAllRowsLong) {
  Table table({"NAME", "UID"});
  table.add({std::string(1 << 20, 'x'), "1"});
  for (int i = 0; i < 9; ++i) table.add({"b", std::string(1000, 'm')});
  std::ostringstream out;
  table.print(out);
  EXPECT_LT(out.str().size(), 11 * (Table::kMaxColumns + 10) + 9 * 1000U);
  EXPECT_NE(out.str().find(std::string(Table::kMaxColumns, 'x') + "...  1\n"), std::string::npos);
  EXPECT_NE(out.str().find(std::string(1000, 'm') + "\n"), std::string::npos) << "the last column stays";
}

TEST(Table, HeadsAreCellsAsWell) {
  Table table({"a\x1b[2J", "b"});
  std::ostringstream out;
  table.print(out);
  EXPECT_EQ(out.str(), "a\\u001b[2J  b\n");
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
