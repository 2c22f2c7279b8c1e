#include "daemon/input_directory.hpp"

#include <gtest/gtest.h>

#include <set>

namespace simulcast::daemon {
namespace {

const std::string kUid(32, 'a');
const std::string kKey = std::string(32, '1') + "k" + kUid;

struct InputDirectoryTest : testing::Test {
  std::variant<ingest::Grant, ingest::Refusal> ask(std::string_view key) {
    return directory.authorize(key, media::IngestProtocol::rtmp);
  }
  net::ShardPool shards{2};
  InputDirectory directory{shards};
};

TEST_F(InputDirectoryTest, RightKeyIsGrantedWithItsInputAndShard) {
  directory.set(kUid, {kKey, "passphrase"}, true);
  const auto decision = ask(kKey);
  const auto& grant = std::get<ingest::Grant>(decision);
  EXPECT_EQ(grant.input_uid, kUid);
  EXPECT_NE(grant.shard, nullptr);
}

TEST_F(InputDirectoryTest, WrongAndUnknownKeysAreAnsweredAlike) {
  directory.set(kUid, {kKey, "passphrase"}, true);
  const std::string expected = std::get<ingest::Refusal>(ask("")).reason;
  for (const std::string& wrong :
       {std::string(32, '2') + "k" + kUid, kKey + "0", kKey.substr(1), kUid, "k" + kUid,
        std::string(32, '1') + "K" + kUid, std::string(32, '1') + "k" + std::string(32, 'b')}) {
    const auto decision = ask(wrong);
    ASSERT_TRUE(std::holds_alternative<ingest::Refusal>(decision)) << wrong;
    EXPECT_EQ(std::get<ingest::Refusal>(decision).reason, expected);
  }
}

TEST_F(InputDirectoryTest, DisabledInputSaysSoOnlyToTheRightKey) {
  directory.set(kUid, {kKey, "passphrase"}, false);
  EXPECT_NE(std::get<ingest::Refusal>(ask(kKey)).reason.find("disabled"), std::string::npos);
  EXPECT_EQ(std::get<ingest::Refusal>(ask("x" + kKey)).reason.find("disabled"), std::string::npos);
  EXPECT_FALSE(directory.admits(kUid));
}

TEST_F(InputDirectoryTest, RotationIsNoticed) {
  EXPECT_FALSE(directory.set(kUid, {kKey, "passphrase"}, true).rotated);
  EXPECT_FALSE(directory.set(kUid, {kKey, "passphrase"}, false).rotated);
  EXPECT_TRUE(directory.set(kUid, {std::string(32, '2') + "k" + kUid, "passphrase"}, true).rotated);
  EXPECT_TRUE(std::holds_alternative<ingest::Refusal>(ask(kKey)));
}

TEST_F(InputDirectoryTest, InputStaysOnItsShardWhileAnyLeaseLives) {
  directory.set(kUid, {kKey, "passphrase"}, true);
  auto first = std::get<ingest::Grant>(ask(kKey));
  // Load on the other shard must not move it.
  std::vector<ingest::Grant> others;
  for (char c : {'b', 'c', 'd'}) {
    const std::string uid(32, c);
    directory.set(uid, {std::string(32, '1') + "k" + uid, "passphrase"}, true);
    others.push_back(std::get<ingest::Grant>(ask(std::string(32, '1') + "k" + uid)));
  }
  EXPECT_EQ(std::get<ingest::Grant>(ask(kKey)).shard, first.shard);
}

TEST_F(InputDirectoryTest, InputsAreSpreadOverTheShards) {
  std::vector<ingest::Grant> grants;
  std::set<net::Shard*> used;
  for (char c : {'b', 'c', 'd', 'e'}) {
    const std::string uid(32, c);
    directory.set(uid, {std::string(32, '1') + "k" + uid, "passphrase"}, true);
    grants.push_back(std::get<ingest::Grant>(ask(std::string(32, '1') + "k" + uid)));
    used.insert(grants.back().shard);
  }
  EXPECT_EQ(used.size(), 2U);
}

TEST_F(InputDirectoryTest, RemovedInputIsUnknown) {
  directory.set(kUid, {kKey, "passphrase"}, true);
  directory.remove(kUid);
  EXPECT_TRUE(std::holds_alternative<ingest::Refusal>(ask(kKey)));
}

}  // namespace
}  // namespace simulcast::daemon
