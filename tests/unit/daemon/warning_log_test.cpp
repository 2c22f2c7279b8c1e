#include "daemon/warning_log.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>

namespace simulcast::daemon {
namespace {

class WarningLogTest : public testing::Test {
 protected:
  WarningLogTest() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(text_);
    auto logger = std::make_shared<spdlog::logger>("test", sink);
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(logger);
  }
  ~WarningLogTest() override { spdlog::set_default_logger(before_); }

  // What was logged when these were noted.
  std::string note(const std::vector<media::Warning>& warnings) {
    text_.str("");
    log_.note("in", "out", warnings);
    return text_.str();
  }

  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
  WarningLog log_;
};

TEST_F(WarningLogTest, AWarningIsLoggedWhenItAppearsAndWhenItHasGone) {
  EXPECT_EQ(note({}), "");
  EXPECT_EQ(note({{"fps", "too many"}}),
            "warning output warning input=in output=out rule=fps message=\"too many\"\n");
  EXPECT_EQ(note({{"fps", "even more"}}), "") << "the same one, measured anew";
  EXPECT_EQ(note({{"fps", "too many"}, {"audio", "no sound"}}),
            "warning output warning input=in output=out rule=audio message=\"no sound\"\n");
  EXPECT_EQ(note({{"audio", "no sound"}}), "warning output warning has gone input=in output=out rule=fps\n");
  EXPECT_EQ(note({}), "warning output warning has gone input=in output=out rule=audio\n");
  EXPECT_EQ(note({}), "");
}

}  // namespace
}  // namespace simulcast::daemon
