// Connections that have not shown a key yet: how many there may be, and how long those who guess are kept
// waiting.
//
// Nobody is turned away at the door, for the next to come may be an encoder: when there are too many from one
// address, or altogether, it is the oldest that goes. An honest encoder shows its key within a moment. Wrong
// keys from one address are answered later and later; a right one is never kept waiting. An address stands
// for its net::customer. Any thread; one for the daemon, which owns it. Memory is bounded by the limits.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <utility>

namespace simulcast::ingest {

class Strangers {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::size_t per_address = 256;
    std::size_t total = 4096;
  };
  // Wrong keys that cost nothing: a typo, and the encoder's own retries.
  static constexpr int kFreeFailures = 5;
  // Beyond them. Short enough for the words to reach an encoder before it gives up waiting.
  static constexpr std::chrono::milliseconds kFirstDelay{1000};
  static constexpr std::chrono::milliseconds kLongestDelay{2000};
  static constexpr std::chrono::seconds kForget{60};  // after the last failure
  static constexpr std::size_t kMostRemembered = 4096;

  explicit Strangers(Limits limits) : limits_(limits) {}

  // A place among the strangers, given back when this goes.
  class Place {
   public:
    Place() = default;
    ~Place() { leave(); }
    Place(Place&& other) noexcept : strangers_(std::exchange(other.strangers_, nullptr)), id_(other.id_) {}
    Place& operator=(Place&& other) noexcept;
    void leave();

   private:
    friend class Strangers;
    Place(Strangers* strangers, std::uint64_t id) : strangers_(strangers), id_(id) {}
    Strangers* strangers_ = nullptr;
    std::uint64_t id_ = 0;
  };
  // `evict` ends the connection soon. It is called at most once, in the thread of whoever comes next, so it
  // only posts.
  Place enter(const boost::asio::ip::address& from, std::function<void()> evict);

  // A wrong key was shown from there: how long to keep the answer back.
  std::chrono::milliseconds failed(const boost::asio::ip::address& from,
                                   Clock::time_point now = Clock::now());

  std::size_t size() const;

 private:
  struct Stranger {
    std::uint64_t id;
    boost::asio::ip::address from;
    std::function<void()> evict;
  };
  using Line = std::list<Stranger>;  // oldest first
  struct Failures {
    int count = 0;
    Clock::time_point last;
  };

  void remove(Line::iterator stranger);

  const Limits limits_;
  mutable std::mutex mutex_;
  std::uint64_t last_id_ = 0;
  Line line_;
  std::map<std::uint64_t, Line::iterator> places_;
  std::map<boost::asio::ip::address, std::map<std::uint64_t, Line::iterator>> by_address_;
  std::map<boost::asio::ip::address, Failures> failures_;
};

}  // namespace simulcast::ingest
