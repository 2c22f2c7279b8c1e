#include "ingest/strangers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace simulcast::ingest {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;

struct StrangersTest : testing::Test {
  Strangers::Place enter(const std::string& from, int number) {
    return strangers.enter(make_address(from), [this, number] { evicted.push_back(number); });
  }
  Strangers strangers{{.per_address = 3, .total = 5}};
  std::vector<int> evicted;
  Strangers::Clock::time_point now = Strangers::Clock::time_point{} + 1h;
};

TEST_F(StrangersTest, TheOldestOfTheAddressMakesRoom) {
  std::vector<Strangers::Place> places;
  places.push_back(enter("10.0.0.2", 0));
  for (int i = 1; i <= 4; ++i) places.push_back(enter("10.0.0.1", i));
  EXPECT_EQ(evicted, std::vector{1});
  EXPECT_EQ(strangers.size(), 4U);
  places.clear();
  EXPECT_EQ(strangers.size(), 0U);
}

TEST_F(StrangersTest, WhoHasShownAKeyCountsNoMore) {
  auto first = enter("10.0.0.1", 1);
  first.leave();
  std::vector<Strangers::Place> places;
  for (int i = 2; i <= 4; ++i) places.push_back(enter("10.0.0.1", i));
  EXPECT_TRUE(evicted.empty());
}

TEST_F(StrangersTest, TheOldestOfAllMakesRoom) {
  std::vector<Strangers::Place> places;
  for (int i = 1; i <= 7; ++i) places.push_back(enter("10.0.0." + std::to_string(i), i));
  EXPECT_EQ(evicted, (std::vector{1, 2}));
  EXPECT_EQ(strangers.size(), 5U);
}

TEST_F(StrangersTest, ASixtyFourIsOneCustomerAndAMappedAddressIsTheOneInside) {
  std::vector<Strangers::Place> places;
  for (int i = 1; i <= 4; ++i) places.push_back(enter("2001:db8::" + std::to_string(i), i));
  EXPECT_EQ(evicted, std::vector{1});
  places.clear();
  evicted.clear();
  places.push_back(enter("10.0.0.1", 1));
  places.push_back(enter("::ffff:10.0.0.1", 2));
  places.push_back(enter("10.0.0.1", 3));
  places.push_back(enter("::ffff:10.0.0.1", 4));
  EXPECT_EQ(evicted, std::vector{1});
}

TEST_F(StrangersTest, WrongKeysAreAnsweredLaterAndLater) {
  const auto address = make_address("10.0.0.1");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(strangers.failed(address, now), 0ms);
  EXPECT_EQ(strangers.failed(address, now), 1s);
  EXPECT_EQ(strangers.failed(address, now), 2s);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(strangers.failed(address, now), 2s);
  EXPECT_EQ(strangers.failed(make_address("10.0.0.2"), now), 0ms);
  EXPECT_EQ(strangers.failed(address, now + 59s), 2s);
  EXPECT_EQ(strangers.failed(address, now + 59s + 60s), 0ms);
}

TEST_F(StrangersTest, GuessesFromEverywhereTakeBoundedMemory) {
  for (unsigned i = 0; i < 20'000; ++i) {
    EXPECT_EQ(strangers.failed(boost::asio::ip::address_v4(i), now + std::chrono::milliseconds{i}), 0ms);
  }
}

}  // namespace
}  // namespace simulcast::ingest
