#include "config/visible_text.hpp"

#include <gtest/gtest.h>

namespace simulcast::config {
namespace {

TEST(VisibleText, WhatATerminalObeysIsWrittenOut) {
  EXPECT_EQ(visible_text("a\x1b[2Jb\x07\r\nc\x7f"), "a\\u001b[2Jb\\u0007\\u000d\\u000ac\\u007f");
  EXPECT_EQ(visible_text("a\xC2\x9B"
                         "2Jb"),
            "a\\u009b2Jb");
  EXPECT_EQ(visible_text(std::string_view("a\0b", 3)), "a\\u0000b");
  EXPECT_EQ(visible_lines("a\nb\x1b\r"), "a\nb\\u001b\\u000d");
}

TEST(VisibleText, WhatTurnsTheOrderRoundIsWrittenOut) {
  EXPECT_EQ(visible_text("live\xE2\x80\xAE"
                         "elbasid"),
            "live\\u202eelbasid");
  for (const char* mark :
       {"\xD8\x9C", "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xAA", "\xE2\x80\xAD", "\xE2\x81\xA6",
        "\xE2\x81\xA9", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\x8B", "\xEF\xBB\xBF"}) {
    EXPECT_EQ(visible_text(mark).substr(0, 2), "\\u") << visible_text(mark);
  }
}

TEST(VisibleText, OtherTextsStayAsTheyAre) {
  const std::string text = "gr\xC3\xBC\xC3\x9F \xD7\xA9\xD7\x9C \xE6\x97\xA5 \xF0\x9F\x8E\xA5 \\ \"x\"";
  EXPECT_EQ(visible_text(text), text);
  // Joiners belong to the spelling of some scripts, and to pictures made of several.
  EXPECT_EQ(visible_text("\xE2\x80\x8C\xE2\x80\x8D"), "\xE2\x80\x8C\xE2\x80\x8D");
}

TEST(VisibleText, BytesThatAreNoTextAreMarked) {
  EXPECT_EQ(visible_text("a\x9B"
                         "2Jb"),
            "a\xEF\xBF\xBD"
            "2Jb");
  EXPECT_EQ(visible_text("\xC0\x9B"), "\xEF\xBF\xBD\xEF\xBF\xBD");           // not the shortest form
  EXPECT_EQ(visible_text("\xE2\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");           // cut off
  EXPECT_EQ(visible_text("\xED\xA0\x80").substr(0, 3), "\xEF\xBF\xBD");      // a surrogate
  EXPECT_EQ(visible_text("\xF4\x90\x80\x80").substr(0, 3), "\xEF\xBF\xBD");  // beyond the last character
}

}  // namespace
}  // namespace simulcast::config
