#include "control/api/metric_label.hpp"

#include <gtest/gtest.h>

#include "control/engine.hpp"

namespace simulcast::control::test {
namespace {

TEST(MetricLabel, HoldsNothingThatATerminalObeys) {
  EXPECT_EQ(metric_label("My show \xC3\xBC"), "My show \xC3\xBC");
  EXPECT_EQ(metric_label("a\x1b[2J\r\xE2\x80\xAE"), "a\\u001b[2J\\u000d\\u202e");
}

TEST(MetricLabel, IsCutBetweenCharacters) {
  constexpr std::size_t kMost = InputSnapshot::kMaxName;
  EXPECT_EQ(metric_label(std::string(kMost, 'x')), std::string(kMost, 'x'));
  EXPECT_EQ(metric_label(std::string(1 << 20, 'x')), std::string(kMost, 'x'));
  EXPECT_EQ(metric_label(std::string(kMost - 1, 'x') + "\xC3\xBC"), std::string(kMost - 1, 'x'));
}

}  // namespace
}  // namespace simulcast::control::test
