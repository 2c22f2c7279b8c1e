#include "control/http/byte_budget.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace simulcast::control {

namespace {

constexpr std::size_t kMost = 1'000'000;

Text text_of(std::size_t size) {
  return std::make_shared<const std::string>(size, 'x');
}

class ByteBudgetTest : public testing::Test {
 protected:
  ByteBudget budget_{kMost};
};

TEST_F(ByteBudgetTest, WhatIsHeldLeavesLessForOthers) {
  auto first = budget_.hold(text_of(600'000));
  ASSERT_TRUE(first);
  EXPECT_FALSE(budget_.hold(text_of(400'001)));
  const auto second = budget_.hold(text_of(400'000));
  EXPECT_TRUE(second);
  EXPECT_TRUE(budget_.full());
  first.reset();
  EXPECT_EQ(budget_.used(), 400'000U);
  EXPECT_TRUE(budget_.hold(text_of(600'000)));
  EXPECT_EQ(budget_.used(), 400'000U);
}

TEST_F(ByteBudgetTest, ATextThatManyAreSentCountsOnce) {
  const Text text = text_of(600'000);
  auto first = budget_.hold(text);
  auto second = budget_.hold(text);
  EXPECT_TRUE(second);
  EXPECT_EQ(budget_.used(), 600'000U);
  first.reset();
  EXPECT_EQ(budget_.used(), 600'000U);
  second.reset();
  EXPECT_EQ(budget_.used(), 0U);
}

TEST_F(ByteBudgetTest, SmallOnesAreNotCounted) {
  const auto large = budget_.hold(text_of(kMost));
  EXPECT_TRUE(budget_.hold(text_of(ByteBudget::kSmall)));
  EXPECT_FALSE(budget_.hold(text_of(ByteBudget::kSmall + 1)));
  EXPECT_EQ(budget_.used(), kMost);
}

TEST_F(ByteBudgetTest, WhatIsLargerThanAllOfItGoesAlone) {
  const auto huge = budget_.hold(text_of(10 * kMost));
  EXPECT_TRUE(huge);
  EXPECT_FALSE(budget_.hold(text_of(10 * kMost)));
}

TEST_F(ByteBudgetTest, SomeAreHeldInAnyCase) {
  const auto large = budget_.hold(text_of(kMost));
  {
    const auto forced = budget_.hold(text_of(500'000), true);
    EXPECT_TRUE(forced);
    EXPECT_EQ(budget_.used(), kMost + 500'000);
  }
  EXPECT_EQ(budget_.used(), kMost);
}

TEST_F(ByteBudgetTest, AShareGrows) {
  std::optional<ByteBudget::Share> one;
  one.emplace(budget_);
  ByteBudget::Share other(budget_);
  EXPECT_TRUE(one->grow_to(ByteBudget::kSmall));
  EXPECT_EQ(budget_.used(), 0U);
  EXPECT_TRUE(one->grow_to(600'000));
  EXPECT_TRUE(one->grow_to(500'000));
  EXPECT_EQ(budget_.used(), 600'000U);
  EXPECT_TRUE(other.grow_to(400'000));
  EXPECT_FALSE(other.grow_to(400'001));
  EXPECT_EQ(budget_.used(), kMost);
  one.reset();
  EXPECT_TRUE(other.grow_to(kMost));
}

}  // namespace

}  // namespace simulcast::control
