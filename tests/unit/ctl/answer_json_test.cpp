#include "ctl/answer_json.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/system/system_error.hpp>

#include "config/api_nesting.hpp"

namespace simulcast::ctl {
namespace {

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

TEST(AnswerJson, ReadsAsDeepAsTheDaemonMayNest) {
  boost::system::error_code error;
  parse_answer(nested(config::kMaxAnswerNesting), error);
  EXPECT_FALSE(error);
  EXPECT_THROW(parse_answer(nested(config::kMaxAnswerNesting + 1)), boost::system::system_error);
}

TEST(AnswerJson, ADocumentMeansTheSameAndATerminalObeysNothingOfIt) {
  const boost::json::value value{{"name", "a\x1b[2J\x7f\xC2\x9B\xE2\x80\xAE \xC3\xBC \\ \"\n"}};
  const std::string text = document_of(value);
  EXPECT_EQ(text, "{\"name\":\"a\\u001b[2J\\u007f\\u009b\\u202e \xC3\xBC \\\\ \\\"\\n\"}");
  EXPECT_EQ(boost::json::parse(text), value);
}

}  // namespace
}  // namespace simulcast::ctl
