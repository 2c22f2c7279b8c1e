#include "ctl/live_view.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <vector>

namespace simulcast::ctl {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::IsEmpty;

class LiveViewTest : public testing::Test {
 protected:
  LiveView view(const std::string& wanted = {}) {
    return LiveView(
        [this](const std::string& uid) -> std::optional<LiveView::Record> {
          fetched_.push_back(uid);
          const auto found = there_.find(uid);
          return found == there_.end() ? std::nullopt : std::optional(found->second);
        },
        wanted);
  }
  static LiveView::Record record(const char* state) {
    const json::value output = {{"uid", "o"},
                                {"status", {{"state", state}, {"since", "2026-01-01T00:00:05Z"}}},
                                {"stats", {{"bitrate", 0}}}};
    return {{{"uid", "i"}, {"status", nullptr}, {"stats", nullptr}}, {output}};
  }
  static std::string state_of(const LiveView& view) {
    const json::value& output = view.records().at("i").outputs.at(0);
    return std::string(output.at("status").at("state").as_string());
  }
  static std::string output_event(const char* state, const char* since) {
    return json::serialize(
        json::value{{"input", "i"}, {"output", "o"}, {"status", {{"state", state}, {"since", since}}}});
  }
  static std::string input_event(const char* state) {
    return json::serialize(json::value{
        {"input", "i"}, {"status", {{"state", state}, {"statusEnteredAt", "2026-01-01T00:00:00Z"}}}});
  }

  std::map<std::string, LiveView::Record> there_{{"i", record("idle")}};
  std::vector<std::string> fetched_;
};

TEST_F(LiveViewTest, WhatGoesLiveIsFetchedOnce) {
  LiveView all = view();
  all.begin();
  EXPECT_THAT(all.records(), IsEmpty());
  all.apply("input", input_event("connected"));
  all.apply("input", input_event("connected"));
  EXPECT_THAT(fetched_, ElementsAre("i"));
  EXPECT_EQ(all.records().at("i").input.at("status").at("current").at("state"), "connected");
}

TEST_F(LiveViewTest, TheOneThatIsWantedIsThereFromTheBeginning) {
  LiveView one = view("i");
  one.begin();
  EXPECT_EQ(state_of(one), "idle");
}

TEST_F(LiveViewTest, EventsRenewStatesUnlessTheyAreOlder) {
  LiveView one = view("i");
  one.begin();
  one.apply("output", output_event("connecting", "2026-01-01T00:00:04Z"));
  EXPECT_EQ(state_of(one), "idle");
  one.apply("output", output_event("live", "2026-01-01T00:00:06Z"));
  EXPECT_EQ(state_of(one), "live");
  // The same state with another message has the time of the state.
  one.apply("output", output_event("retrying", "2026-01-01T00:00:06Z"));
  EXPECT_EQ(state_of(one), "retrying");
}

TEST_F(LiveViewTest, AnOutputThatIsNewIsFetched) {
  there_["i"].outputs.clear();
  LiveView one = view("i");
  one.begin();
  there_["i"] = record("connecting");
  one.apply("output", output_event("connecting", "2026-01-01T00:00:05Z"));
  EXPECT_EQ(state_of(one), "connecting");
}

TEST_F(LiveViewTest, WhatIsChangedIsFetchedWhatIsDeletedGoes) {
  LiveView one = view("i");
  one.begin();
  there_["i"] = record("disabled");
  one.apply("changed", R"({"input": "i"})");
  EXPECT_EQ(state_of(one), "disabled");
  there_.clear();
  one.apply("changed", R"({"input": "i"})");
  EXPECT_THAT(one.records(), IsEmpty());
}

TEST_F(LiveViewTest, ChangesOfWhatIsNotShownDoNotMatter) {
  LiveView all = view();
  all.apply("changed", R"({"input": "i"})");
  EXPECT_THAT(fetched_, IsEmpty());
}

TEST_F(LiveViewTest, FiguresComeAndGo) {
  LiveView one = view("i");
  one.begin();
  one.apply("stats", R"({"inputs": [{"input": "i", "stats": {"bitrate": 7}, "outputs": [
      {"output": "o", "stats": {"bitrate": 8}}, {"output": "unknown", "stats": {}}]}, {"input": "else", "stats": null, "outputs": []}]})");
  EXPECT_EQ(one.records().at("i").input.at("stats").at("bitrate"), 7);
  EXPECT_EQ(one.records().at("i").outputs.at(0).at("stats").at("bitrate"), 8);
  one.apply("stats", R"({"inputs": []})");
  EXPECT_TRUE(one.records().at("i").input.at("stats").is_null());
}

TEST_F(LiveViewTest, EventsThatAreNotKnownDoNotMatter) {
  LiveView one = view("i");
  one.begin();
  one.apply("new_kind", R"({"anything": 1})");
  EXPECT_EQ(state_of(one), "idle");
}

}  // namespace
}  // namespace simulcast::ctl
