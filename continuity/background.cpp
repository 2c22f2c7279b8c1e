#include "continuity/background.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <utility>

namespace simulcast::continuity {

namespace {

// Of this thread only: Linux, setpriority(2).
void lower_priority() {
  if (::setpriority(PRIO_PROCESS, 0, Background::kNice) != 0)
    spdlog::debug("a thread of continuity keeps its priority");
}

}  // namespace

Background::~Background() {
  if (thread_) thread_->join();
}

void Background::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (!thread_) {
    thread_.emplace(1);
    boost::asio::post(*thread_, lower_priority);
  }
  boost::asio::post(*thread_, std::move(work));
}

}  // namespace simulcast::continuity
