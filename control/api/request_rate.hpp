// How many requests one client may make: a bucket of two seconds' worth for each, which fills up all the
// time.
//
// Owned by the Api, and another one by MetricsPage; on the control thread. Memory is bounded: beyond
// kMostRemembered clients at once those that come new share one bucket.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <map>

#include "control/http/request.hpp"

namespace simulcast::control {

class RequestRate {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kMostRemembered = 4096;
  static constexpr double kBurstSeconds = 2;

  explicit RequestRate(unsigned per_second) : per_second_(per_second) {}

  // One more request from there; false: it is one too many.
  bool take(const boost::asio::ip::address& from, Clock::time_point now = Clock::now());

  // The same for a request, unless it comes from this machine. Throws RequestError when it is one too many.
  void admit(const Request& request);

 private:
  struct Bucket {
    double left;
    Clock::time_point when;
  };

  double left(const Bucket& bucket, Clock::time_point now) const;
  void forget_full(Clock::time_point now);

  const unsigned per_second_;
  std::map<boost::asio::ip::address, Bucket> buckets_;
};

}  // namespace simulcast::control
