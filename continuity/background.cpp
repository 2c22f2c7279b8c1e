#include "continuity/background.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>
#include <utility>

namespace simulcast::continuity {

namespace {

// Of this thread only: Linux, setpriority(2).
void lower_priority() {
  if (::setpriority(PRIO_PROCESS, 0, Background::kNice) != 0)
    spdlog::debug("a thread of continuity keeps its priority");
}

}  // namespace

Background::Background() {
  try {
    thread_.emplace(1);
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error("no thread can be had for slates and filler (" + error.code().message() +
                             "): raise the limit on processes (ulimit -u, TasksMax= of the service)");
  }
  boost::asio::post(*thread_, lower_priority);
}

Background::~Background() {
  thread_->join();
}

void Background::post(std::function<void()> work) {
  boost::asio::post(*thread_, std::move(work));
}

}  // namespace simulcast::continuity
