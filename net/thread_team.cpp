#include "net/thread_team.hpp"

#include "net/start_thread.hpp"

namespace simulcast::net {

ThreadTeam::ThreadTeam(std::size_t size) {
  threads_.reserve(size);
  try {
    while (threads_.size() < size) threads_.push_back(start_thread([this] { context_.run(); }));
  } catch (...) {
    end();
    throw;
  }
}

ThreadTeam::~ThreadTeam() {
  end();
}

void ThreadTeam::end() {
  context_.stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace simulcast::net
