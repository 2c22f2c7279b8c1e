#include "media/trail.hpp"

#include <gtest/gtest.h>

namespace simulcast::media {
namespace {

Trail trail_of(std::initializer_list<Trail::Mark> marks) {
  Trail trail;
  for (const auto mark : marks) trail.append(mark);
  return trail;
}

TEST(Trail, IsWrittenAndReadAgain) {
  const Trail trail = trail_of({1, 0xFEDCBA9876543210, 0});
  EXPECT_EQ(trail.text(), "0000000000000001,fedcba9876543210,0000000000000000");
  EXPECT_EQ(Trail::parse(trail.text()), trail);
  EXPECT_TRUE(trail.contains(1));
  EXPECT_FALSE(trail.contains(2));
  EXPECT_EQ(Trail::parse(""), Trail());
}

TEST(Trail, TakesTheLongestAndNoMore) {
  Trail longest;
  for (Trail::Mark mark = 0; !longest.full(); ++mark) longest.append(mark);
  EXPECT_EQ(longest.marks().size(), Trail::kLongest);
  EXPECT_EQ(Trail::parse(longest.text()), longest);
  EXPECT_EQ(Trail::parse(longest.text() + ",0000000000000000"), Trail());
}

TEST(Trail, WhatIsNoneIsEmpty) {
  for (const char* text :
       {"1", "000000000000000", "000000000000000g", "0000000000000001,", ",0000000000000001",
        "0000000000000001 0000000000000002", "-000000000000001", "0x00000000000001", "00000000000000011"}) {
    EXPECT_EQ(Trail::parse(text), Trail()) << text;
  }
}

}  // namespace
}  // namespace simulcast::media
