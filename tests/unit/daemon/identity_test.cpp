#include "daemon/identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "config/state_files.hpp"

namespace simulcast::daemon {
namespace {

using testing::HasSubstr;

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "simulcastd-identity-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~IdentityTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::filesystem::path& file, const std::string& text) { std::ofstream(file) << text; }

  template <class Read>
  std::string problem(Read read) {
    try {
      return "it was taken: " + read(folder_);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }

  std::filesystem::path folder_;
};

TEST_F(IdentityTest, IsMadeOnceAndKept) {
  EXPECT_FALSE(has_been_used(folder_));
  const std::string account = account_id(folder_);
  EXPECT_EQ(account.size(), 32U);
  EXPECT_TRUE(has_been_used(folder_));
  EXPECT_EQ(account_id(folder_), account);
  EXPECT_EQ(api_token(folder_), api_token(folder_));
  write(config::account_file(folder_), account + "\r\n");
  EXPECT_EQ(account_id(folder_), account);
}

TEST_F(IdentityTest, AnAccountThatIsNoneIsRefusedAndKept) {
  const std::string good(32, 'a');
  for (const std::string& text : {std::string("../../etc"), "../" + good, good + "/..", std::string(),
                                  std::string("\n"), good.substr(1), std::string(100'000, 'a'), " " + good}) {
    write(config::account_file(folder_), text);
    EXPECT_THAT(problem(account_id), HasSubstr(config::account_file(folder_).string() + " holds is "));
    EXPECT_EQ(std::filesystem::file_size(config::account_file(folder_)), text.size());
  }
}

TEST_F(IdentityTest, ATokenThatFitsNoHeaderIsRefusedAndNotShown) {
  for (const std::string text : {"a secret", "secret\x1b[2J", "secret\xC3\xBC", ""}) {
    write(config::token_file(folder_), text + "\n");
    EXPECT_THAT(problem(api_token), HasSubstr(config::token_file(folder_).string() + " holds is "));
    EXPECT_THAT(problem(api_token), testing::Not(HasSubstr("secret")));
  }
}

// One that cannot be read is no reason to give an installation another account.
TEST_F(IdentityTest, WhatCannotBeReadIsNotReplaced) {
  std::filesystem::create_symlink("nowhere", config::account_file(folder_));
  EXPECT_THAT(problem(account_id), HasSubstr("cannot be read: No such file"));
  EXPECT_TRUE(std::filesystem::is_symlink(config::account_file(folder_)));
}

}  // namespace
}  // namespace simulcast::daemon
