#include "media/cut_text.hpp"

#include <gtest/gtest.h>

namespace simulcast::media {

namespace {

TEST(CutText, AtACharacter) {
  EXPECT_EQ(cut_text("", 0), "");
  EXPECT_EQ(cut_text("abc", 3), "abc");
  EXPECT_EQ(cut_text("abcd", 3), "abc");
  EXPECT_EQ(cut_text("abc", 0), "");
  EXPECT_EQ(cut_text("a\u00e4", 2), "a");
  EXPECT_EQ(cut_text("a\u00e4", 3), "a\u00e4");
  EXPECT_EQ(cut_text("\U0001F600\U0001F600", 7), "\U0001F600");
  EXPECT_EQ(cut_text("\x80\x80\x80", 2), "");  // no text at all
}

}  // namespace

}  // namespace simulcast::media
