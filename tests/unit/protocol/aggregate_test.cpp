#include "protocol/rtmp/aggregate.hpp"

#include <gtest/gtest.h>

#include "protocol/rtmp/error.hpp"
#include "tests/unit/protocol/test_publisher.hpp"

namespace simulcast::rtmp {
namespace {

using test::Bytes;
using test::hex;
using test::Publisher;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

Bytes tag(std::uint8_t type, std::uint32_t time, const Bytes& body) {
  return test::number(type, 1) + test::number(body.size(), 3) + test::number(time & 0xFFFFFF, 3) +
         test::number(time >> 24, 1) + test::number(0, 3) + body + test::number(11 + body.size(), 4);
}

TEST(Aggregate, IsTakenApart) {
  Publisher publisher;
  publisher.publish();
  const Bytes body = tag(9, 0x01000005, hex("17 01")) + tag(22, 0x01000006, tag(8, 0, hex("af"))) +
                     tag(8, 0x01000010, hex("af 01 02")) + tag(18, 0x01000004, {});
  const auto fed = publisher.send(publisher.peer.media(MessageType::aggregate, 1000, body));
  ASSERT_EQ(fed.events.size(), 3U);
  const auto& video = std::get<MediaMessage>(fed.events[0]);
  const auto& audio = std::get<MediaMessage>(fed.events[1]);
  EXPECT_EQ(video.timestamp, 1000U);
  EXPECT_TRUE(std::ranges::equal(video.body.bytes(), hex("17 01")));
  EXPECT_EQ(audio.timestamp, 1011U);
  EXPECT_TRUE(std::ranges::equal(audio.body.bytes(), hex("af 01 02")));
  EXPECT_EQ(std::get<MediaMessage>(fed.events[2]).timestamp, 999U);
}

TEST(Aggregate, PartsDoNotReachPastItsEnd) {
  const Bytes whole = tag(9, 5, hex("17 01 02 03"));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    Publisher publisher;
    publisher.publish();
    const auto fed = publisher.send(publisher.peer.media(
        MessageType::aggregate, 0, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}));
    // The back pointer at the end may be missing, nothing else.
    EXPECT_EQ(fed.error == Error::bad_aggregate, size < 15) << size;
    EXPECT_EQ(fed.events.size(), size < 15 ? 0U : 1U);
  }
}

}  // namespace
}  // namespace simulcast::rtmp
