#include "net/thread_team.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <future>
#include <string_view>

#include "net/start_thread.hpp"

// GCC says it by a macro, clang by a feature.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIMULCASTD_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SIMULCASTD_SANITIZED
#endif
#endif

namespace simulcast::net {
namespace {

TEST(ThreadTeam, RunsWhatIsPosted) {
  ThreadTeam team(2);
  // Both at the same time.
  std::promise<void> first, second;
  boost::asio::post(team.executor(), [&] {
    first.set_value();
    second.get_future().wait();
  });
  first.get_future().wait();
  std::promise<void> done;
  boost::asio::post(team.executor(), [&] {
    second.set_value();
    done.set_value();
  });
  done.get_future().wait();
}

#ifndef SIMULCASTD_SANITIZED  // a sanitizer takes all of the address space

// Runs in a child, whose threads get stacks that the address space has room for a few of only.
int with_few_threads(void (*work)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit space{};
    space.rlim_cur = space.rlim_max = rlim_t{1} << 30;
    ::setrlimit(RLIMIT_AS, &space);
    ::alarm(30);  // for what waits for ever
    work();
    ::_exit(2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ThreadTeam, TooFewThreadsAreToldAndWaitedForByNobody) {
  const int code = with_few_threads([] {
    try {
      const ThreadTeam team(1000);
    } catch (const TooFewThreads& error) {
      const bool good = std::string_view(error.what()).find("ulimit -u") != std::string_view::npos;
      // Those that there were are gone, and others can be had.
      const ThreadTeam small(4);
      ::_exit(good ? 0 : 1);
    }
  });
  EXPECT_EQ(code, 0);
}

#endif

}  // namespace
}  // namespace simulcast::net
