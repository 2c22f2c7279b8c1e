#include "ingest/strangers.hpp"

#include <algorithm>
#include <utility>

#include "net/customer.hpp"

namespace simulcast::ingest {

using boost::asio::ip::address;

Strangers::Place& Strangers::Place::operator=(Place&& other) noexcept {
  if (this == &other) return *this;
  leave();
  strangers_ = std::exchange(other.strangers_, nullptr);
  id_ = other.id_;
  return *this;
}

void Strangers::Place::leave() {
  Strangers* strangers = std::exchange(strangers_, nullptr);
  if (strangers == nullptr) return;
  const std::lock_guard lock(strangers->mutex_);
  const auto place = strangers->places_.find(id_);
  if (place != strangers->places_.end()) strangers->remove(place->second);
}

void Strangers::remove(Line::iterator stranger) {
  const auto same = by_address_.find(stranger->from);
  same->second.erase(stranger->id);
  if (same->second.empty()) by_address_.erase(same);
  places_.erase(stranger->id);
  line_.erase(stranger);
}

Strangers::Place Strangers::enter(const address& from, std::function<void()> evict) {
  const std::lock_guard lock(mutex_);
  const auto let_go = [&](Line::iterator oldest) {
    oldest->evict();
    remove(oldest);
  };
  const address key = net::customer(from);
  if (const auto same = by_address_.find(key);
      same != by_address_.end() && same->second.size() >= limits_.per_address) {
    let_go(same->second.begin()->second);
  }
  if (line_.size() >= limits_.total) let_go(line_.begin());
  const std::uint64_t id = ++last_id_;
  const auto place = line_.insert(line_.end(), {id, key, std::move(evict)});
  places_.emplace(id, place);
  by_address_[key].emplace(id, place);
  return {this, id};
}

std::chrono::milliseconds Strangers::failed(const address& from, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= kMostRemembered) {
    std::erase_if(failures_, [now](const auto& one) { return now - one.second.last >= kForget; });
    if (failures_.size() >= kMostRemembered) {
      failures_.erase(
          std::ranges::min_element(failures_, {}, [](const auto& one) { return one.second.last; }));
    }
  }
  Failures& failures = failures_[net::customer(from)];
  if (now - failures.last >= kForget) failures.count = 0;
  failures.last = now;
  failures.count = std::min(failures.count + 1, kFreeFailures + 2);
  const int beyond = failures.count - kFreeFailures;
  if (beyond <= 0) return {};
  return beyond == 1 ? kFirstDelay : kLongestDelay;
}

std::size_t Strangers::size() const {
  const std::lock_guard lock(mutex_);
  return line_.size();
}

}  // namespace simulcast::ingest
