#include "net/descriptors.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
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

// Gives the exit code of a child that runs `work` with so many descriptors.
int with_descriptors(rlim_t limit, int (*work)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit few{limit, limit};
    ::setrlimit(RLIMIT_NOFILE, &few);
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The lowest number that is free, taken.
int take() {
  return ::open("/dev/null", O_RDONLY);
}

TEST(Descriptors, OutputsLeaveSomeForTheApiAndTheApiForTheStore) {
  const int code = with_descriptors(128, [] {
    int last = -1;
    while (has_descriptor(DescriptorUse::encoder)) last = take();
    if (last != 128 - 32 - 1) return 1;
    while (has_descriptor(DescriptorUse::api)) last = take();
    if (last != 128 - 16 - 1) return 2;
    while (has_descriptor(DescriptorUse::output)) last = take();
    if (last != 128 - 8 - 1) return 3;
    // What outputs can take at the most is too much for any connection of the API, but for its own.
    if (has_descriptor(DescriptorUse::api)) return 4;
    for (std::size_t i = 0; i < api_share(); ++i) {
      if (!has_descriptor(DescriptorUse::api_share)) return 5;
      if (is_reserved(take(), DescriptorUse::api_share)) return 6;
    }
    if (has_descriptor(DescriptorUse::api_share)) return 7;
    return take() >= 0 ? 0 : 8;  // the store's
  });
  EXPECT_EQ(code, 0);
}

TEST(Descriptors, WithNoneLeftThereIsRoomForNobody) {
  const int code = with_descriptors(64, [] {
    while (take() >= 0) {
    }
    return has_descriptor(DescriptorUse::api_share) ? 1 : 0;
  });
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace simulcast::net
