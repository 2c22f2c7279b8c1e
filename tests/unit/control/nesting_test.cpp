// How deep `meta` may nest, and that whoever reads the API's answers can read what any input has.
#include "control/api/nesting.hpp"

#include "api_fixture.hpp"
#include "config/api_nesting.hpp"

namespace simulcast::control::test {

namespace {

// Of so many levels, objects and arrays in turn.
std::string nested(std::size_t levels) {
  std::string open;
  std::string close;
  for (std::size_t i = 0; i < levels; ++i) {
    open += i % 2 == 0 ? R"({"a":)" : "[";
    close.insert(0, i % 2 == 0 ? "}" : "]");
  }
  return open + "1" + close;
}

std::string with_meta(std::size_t levels) {
  return R"({"meta":)" + nested(levels) + "}";
}

class NestingTest : public ApiTest {};

TEST_F(NestingTest, Counts) {
  EXPECT_EQ(nesting_of(json::value(1)), 0U);
  EXPECT_EQ(nesting_of(json::object()), 1U);
  EXPECT_EQ(nesting_of(json::parse(R"([1, {"a": []}, 2])")), 3U);
  EXPECT_EQ(nesting_of(json::parse(nested(16))), 16U);
}

TEST_F(NestingTest, MetaNestsToTheLimitOnly) {
  const Answer deep = call("POST", kInputs, with_meta(config::kMaxMetaNesting));
  ASSERT_TRUE(deep.ok());
  EXPECT_EQ(deep.object().at("meta"), json::parse(nested(config::kMaxMetaNesting)));
  const std::string uid(deep.object().at("uid").as_string());
  for (const std::size_t levels : {config::kMaxMetaNesting + 1, config::kMaxBodyNesting - 1}) {
    EXPECT_TRUE(
        is_error(call("POST", kInputs, with_meta(levels)), 400, 10005, "/meta", "more than 16 levels"));
    EXPECT_TRUE(is_error(call("PUT", input_path(uid), with_meta(levels)), 400, 10005, "/meta", "levels"));
  }
  EXPECT_EQ(call("GET", input_path(uid)).object().at("meta"), json::parse(nested(config::kMaxMetaNesting)));
}

TEST_F(NestingTest, ABodyThatNestsTooDeepIsToldSo) {
  for (const std::size_t levels : {config::kMaxBodyNesting, std::size_t{10'000}}) {
    EXPECT_TRUE(is_error(call("POST", kInputs, with_meta(levels)), 400, 10004, "", "more than 32 levels"));
  }
}

// A store of before the limit may hold what the largest body could have.
TEST_F(NestingTest, WhatAnOlderStoreHoldsIsServedAndRead) {
  LiveInput old;
  old.account = kAccount;
  old.uid = std::string(32, 'a');
  old.meta = json::parse(nested(config::kMaxBodyNesting - 1)).as_object();
  ASSERT_EQ(sqlite_.insert_input(old, std::nullopt).outcome, InsertOutcome::inserted);

  json::parse_options options;
  options.max_depth = config::kMaxAnswerNesting;
  for (const std::string& path : {kInputs, input_path(old.uid)}) {
    const std::string text = text_of("GET", path);
    json::error_code error;
    json::parse(text, error, {}, options);
    EXPECT_FALSE(error) << error.message() << ": " << text;
  }
  // What is there already stays when something else is changed.
  const std::string changed = text_of("PUT", input_path(old.uid), R"({"enabled": false})");
  EXPECT_NE(changed.find(R"("success":true)"), std::string::npos) << changed;
  EXPECT_NE(changed.find(nested(config::kMaxBodyNesting - 1)), std::string::npos);
}

}  // namespace

}  // namespace simulcast::control::test
