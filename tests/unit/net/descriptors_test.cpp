#include "net/descriptors.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace simulcast::net {
namespace {

TEST(Descriptors, StandardStreamsThatAreMissingAreFilled) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(STDIN_FILENO);
    ::close(STDERR_FILENO);
    fill_standard_descriptors();
    const int next = ::open("/", O_RDONLY);
    const bool writable = ::write(STDERR_FILENO, "x", 1) == 1;
    ::_exit(next > STDERR_FILENO && writable ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace simulcast::net
