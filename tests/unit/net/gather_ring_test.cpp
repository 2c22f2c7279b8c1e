#include "net/gather_ring.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace simulcast::net {
namespace {

struct Pair {
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0); }
  ~Pair() {
    for (const int end : ends) {
      if (end >= 0) ::close(end);
    }
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  std::string received() const {
    std::string text(1 << 20, '\0');
    const ssize_t size = ::recv(ends[1], text.data(), text.size(), 0);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }
  void hang_up() { ::close(std::exchange(ends[1], -1)); }

  std::array<int, 2> ends{};
};

class GatherRingTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!ring) GTEST_SKIP() << "the kernel gives no io_uring here";
  }

  static std::vector<int> sockets(const std::vector<Pair>& pairs) {
    std::vector<int> all;
    all.reserve(pairs.size());
    for (const Pair& pair : pairs) all.push_back(pair.ends[0]);
    return all;
  }
  std::vector<std::int32_t> send(const std::vector<int>& to, std::vector<std::string>& texts) {
    std::vector<iovec> pieces;
    pieces.reserve(texts.size());
    for (std::string& text : texts) pieces.push_back({text.data(), text.size()});
    std::vector<std::int32_t> results(to.size(), -1);
    ring->send(to, pieces, results);
    return results;
  }

  std::unique_ptr<GatherRing> ring = GatherRing::make();
  std::vector<std::string> hello{"one ", "", "two ", "three"};
};

TEST_F(GatherRingTest, EverySocketGetsAllPiecesHoweverManyThereAre) {
  for (const std::size_t count : {1UL, 2UL, 255UL, 256UL, 257UL, 400UL}) {
    std::vector<Pair> pairs(count);
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ(send(sockets(pairs), hello), std::vector<std::int32_t>(count, 13));
      for (const Pair& pair : pairs) ASSERT_EQ(pair.received(), "one two three");
    }
  }
}

TEST_F(GatherRingTest, EachResultIsThatOfItsSocket) {
  std::vector<Pair> pairs(4);
  std::string much(8 << 20, 'x');
  std::vector<std::string> flood{much};
  const auto first = send({pairs[1].ends[0]}, flood);
  ASSERT_GT(first[0], 0);
  ASSERT_LT(first[0], static_cast<std::int32_t>(much.size()));  // what fits, and no waiting for the rest
  pairs[2].hang_up();
  auto all = sockets(pairs);
  all.push_back(1 << 20);  // no such descriptor
  all.push_back(pairs[3].ends[0]);
  EXPECT_EQ(send(all, hello), (std::vector<std::int32_t>{13, -EAGAIN, -EPIPE, 13, -EBADF, 13}));
  EXPECT_EQ(pairs[0].received(), "one two three");
  EXPECT_EQ(pairs[3].received(), "one two threeone two three");
}

}  // namespace
}  // namespace simulcast::net
