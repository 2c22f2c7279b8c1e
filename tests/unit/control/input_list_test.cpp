#include "control/api/input_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/control/api_fixture.hpp"

namespace simulcast::control::test {
namespace {

class InputListTest : public ApiTest {
 protected:
  std::vector<std::string> listed() {
    const Answer answer = call("GET", kInputs);
    std::vector<std::string> uids;
    for (const auto& item : answer.object().at("liveInputs").as_array()) {
      uids.emplace_back(item.at("uid").as_string());
    }
    EXPECT_EQ(answer.object().at("total").to_number<std::size_t>(), uids.size());
    return uids;
  }
  std::vector<std::string> stored() {
    std::vector<std::string> uids;
    for (const auto& input : sqlite_.inputs(kAccount)) uids.push_back(input.uid);
    return uids;
  }
};

TEST_F(InputListTest, IsWhatTheStoreHasWhateverHappens) {
  EXPECT_THAT(listed(), testing::IsEmpty());
  std::minstd_rand random(1);
  std::vector<std::string> uids;
  for (int round = 0; round < 300; ++round) {
    if (uids.empty() || random() % 5 < 3) {
      uids.push_back(new_input());
    } else {
      const auto victim = uids.begin() + static_cast<std::ptrdiff_t>(random() % uids.size());
      EXPECT_TRUE(call("DELETE", input_path(*victim)).ok());
      uids.erase(victim);
    }
    if (random() % 4 == 0) {
      EXPECT_EQ(listed(), uids);
    }
  }
  while (!uids.empty()) {
    EXPECT_TRUE(call("DELETE", input_path(uids.back())).ok());
    uids.pop_back();
    if (uids.size() % 7 == 0) {
      EXPECT_EQ(listed(), stored());
    }
  }
}

TEST_F(InputListTest, ShowsEachItemAsItIsAlone) {
  const std::string uid = new_input(R"({"meta": {"name": "a \"show\"\n"}, "deleteRecordingAfterDays": 40})");
  const std::string other = new_input();
  engine_.reports[other] = InputReport{{.connected = true}, {}};
  const auto check = [&] {
    const Answer list = call("GET", kInputs);
    for (const auto& item : list.object().at("liveInputs").as_array()) {
      const Answer single = call("GET", input_path(std::string(item.at("uid").as_string())));
      const json::object& alone = single.object();
      for (const auto& member : item.as_object()) EXPECT_EQ(member.value(), alone.at(member.key()));
      EXPECT_EQ(item.as_object().size(), 7u);
    }
  };
  check();
  call("PUT", input_path(uid), R"({"meta": {"name": "another"}, "deleteRecordingAfterDays": null})");
  call("POST", input_path(other) + "/disable");
  engine_.reports[uid] = InputReport{{.connected = false}, {{}, {}}};
  check();
}

// While somebody is sent a list, others get the same one, unless anything in it is another.
TEST_F(InputListTest, IsOneTextForAllWhoAreSentIt) {
  new_input();
  InputList list;
  const auto answer = [&] { return list.answer(sqlite_, engine_, kAccount, now_); };
  Text first = answer();
  EXPECT_EQ(answer(), first);
  now_ += std::chrono::milliseconds(999);
  EXPECT_EQ(answer(), first);
  now_ += std::chrono::milliseconds(1);
  Text second = answer();
  EXPECT_NE(second, first);
  now_ -= std::chrono::hours(1);  // the clock was set
  EXPECT_NE(answer(), second);

  first = answer();
  ++engine_.changes;
  second = answer();
  EXPECT_NE(second, first);
  const std::string uid = new_input();
  list.changed(uid);
  first = answer();
  EXPECT_NE(first, second);
  EXPECT_NE(first->find(uid), std::string::npos);
  // And nobody keeps it.
  const std::weak_ptr<const std::string> kept = first;
  first.reset();
  EXPECT_TRUE(kept.expired());
}

}  // namespace
}  // namespace simulcast::control::test
