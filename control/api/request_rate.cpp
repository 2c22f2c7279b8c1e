#include "control/api/request_rate.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "control/http/faults.hpp"
#include "net/customer.hpp"

namespace simulcast::control {

using boost::asio::ip::address;

bool RequestRate::take(const address& from, Clock::time_point now) {
  address client = net::customer(from);
  if (!buckets_.contains(client) && buckets_.size() >= kMostRemembered) {
    forget_full(now);
    if (buckets_.size() >= kMostRemembered) client = address();
  }
  Bucket& bucket = buckets_.try_emplace(client, Bucket{per_second_ * kBurstSeconds, now}).first->second;
  bucket = {left(bucket, now), now};
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

void RequestRate::admit(const Request& request) {
  if (request.from_this_machine || take(request.from)) return;
  throw RequestError({{Problem::too_many_requests,
                       fmt::format("Too many requests from your address: at most {} a second "
                                   "(limits.requests_per_second); try again in a moment",
                                   per_second_),
                       {}}},
                     {{"Retry-After", "1"}});
}

double RequestRate::left(const Bucket& bucket, Clock::time_point now) const {
  const std::chrono::duration<double> since = now - bucket.when;
  return std::min(bucket.left + since.count() * per_second_, per_second_ * kBurstSeconds);
}

// A client whose bucket is full again is one that was never seen.
void RequestRate::forget_full(Clock::time_point now) {
  std::erase_if(buckets_,
                [&](const auto& item) { return left(item.second, now) >= per_second_ * kBurstSeconds; });
}

}  // namespace simulcast::control
