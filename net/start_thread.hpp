// Starts a thread, or throws what a person can act on: the library's own words are "Resource temporarily
// unavailable". Any thread.
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace simulcast::net {

class TooFewThreads : public std::runtime_error {
 public:
  explicit TooFewThreads(const std::error_code& cause)
      : std::runtime_error(
            "the system gives this process no further thread (" + cause.message() +
            "): raise the limit on processes (ulimit -u, TasksMax= of the service, pids.max of "
            "the cgroup) or on memory, or set `threads` to less") {}
};

template <class Work>
std::thread start_thread(Work work) {
  try {
    return std::thread(std::move(work));
  } catch (const std::system_error& error) {
    throw TooFewThreads(error.code());
  }
}

}  // namespace simulcast::net
