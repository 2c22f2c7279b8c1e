#include "net/srt_handshakes.hpp"

#include <utility>

#include "net/customer.hpp"

namespace simulcast::net {

namespace {

// Of "host:port" or "[host]:port".
boost::asio::ip::address address_of(const std::string& peer) {
  std::string host = peer.substr(0, peer.rfind(':'));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  return customer(boost::asio::ip::make_address(host, error));
}

}  // namespace

SrtHandshakes::SrtHandshakes(Limits limits, std::function<bool(SrtHandle)> has_failed)
    : limits_(limits), has_failed_(std::move(has_failed)) {}

bool SrtHandshakes::begin(SrtHandle handle, const void* listener, const std::string& peer, std::string note,
                          Clock::time_point now) {
  const auto from = address_of(peer);
  const std::lock_guard lock(mutex_);
  // Listeners go, and nobody asks for their callers again.
  std::erase_if(pending_, [&](const auto& one) { return one.first == handle || now > one.second.forget_at; });
  std::size_t total = 0;
  std::size_t same_address = 0;
  std::size_t same_listener = 0;
  for (const auto& [other, pending] : pending_) {
    ++total;
    if (pending.from == from) ++same_address;
    if (pending.listener == listener) ++same_listener;
  }
  if (total >= limits_.total || same_address >= limits_.per_address ||
      same_listener >= limits_.per_listener) {
    return false;
  }
  pending_[handle] = {{peer, std::move(note)}, listener, from, now + kForget};
  return true;
}

std::optional<SrtHandshakes::Handshake> SrtHandshakes::end(SrtHandle handle) {
  const std::lock_guard lock(mutex_);
  auto found = pending_.extract(handle);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped().handshake);
}

std::vector<std::string> SrtHandshakes::take_failed(const void* listener, Clock::time_point now) {
  std::vector<SrtHandle> asked;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [handle, pending] : pending_) {
      if (pending.listener == listener && !pending.failed) asked.push_back(handle);
    }
  }
  // Not with the mutex, which libsrt's thread may wait for while it has locks that are needed for the answer.
  std::erase_if(asked, [this](SrtHandle handle) { return !has_failed_(handle); });
  std::vector<std::string> failed;
  const std::lock_guard lock(mutex_);
  for (const SrtHandle handle : asked) {
    const auto found = pending_.find(handle);
    if (found == pending_.end()) continue;
    found->second.failed = true;
    found->second.forget_at = now + kForgetFailed;
    failed.push_back(found->second.handshake.peer);
  }
  std::erase_if(pending_, [now](const auto& one) { return now > one.second.forget_at; });
  return failed;
}

std::size_t SrtHandshakes::size() const {
  const std::lock_guard lock(mutex_);
  return pending_.size();
}

}  // namespace simulcast::net
