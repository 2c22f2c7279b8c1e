#include "ctl/event_reader.hpp"

#include <gmock/gmock.h>

#include <utility>
#include <vector>

namespace simulcast::ctl {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class EventReaderTest : public testing::Test {
 protected:
  std::vector<std::pair<std::string, std::string>> events_;
  EventReader reader_{
      [this](std::string_view event, std::string_view data) { events_.emplace_back(event, data); }};
};

constexpr std::string_view kText =
    "retry: 1000\n\nevent: input\ndata: {\"a\":1}\n\n:\n\nevent: stats\ndata: {}\n\n";

TEST_F(EventReaderTest, EventsWithTheirData) {
  EXPECT_TRUE(reader_.feed(kText));
  EXPECT_THAT(events_, ElementsAre(Pair("input", "{\"a\":1}"), Pair("stats", "{}")));
}

TEST_F(EventReaderTest, CutAnywhere) {
  for (const char c : kText) EXPECT_TRUE(reader_.feed({&c, 1}));
  EXPECT_THAT(events_, ElementsAre(Pair("input", "{\"a\":1}"), Pair("stats", "{}")));
}

TEST_F(EventReaderTest, AnEventThatHasNotEndedIsNone) {
  reader_.feed("event: input\ndata: {}\n");
  EXPECT_THAT(events_, IsEmpty());
  reader_.feed("\n");
  EXPECT_THAT(events_, ElementsAre(Pair("input", "{}")));
}

TEST_F(EventReaderTest, ALineWithoutAnEndIsNotKeptForEver) {
  const std::string much(EventReader::kMaxEvent / 2, 'x');
  EXPECT_TRUE(reader_.feed(much));
  EXPECT_TRUE(reader_.feed(much));
  EXPECT_FALSE(reader_.feed("x"));
}

}  // namespace
}  // namespace simulcast::ctl
