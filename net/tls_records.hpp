// Tells a peer that sends TLS records for their own sake from one that has something to say.
//
// A record costs work whatever is in it, and a KeyUpdate ten times as much, so a peer that sends many of next
// to nothing costs far more than its bandwidth. Honest peers send small records too: ffmpeg sends a record of
// one byte between two of 128. So what counts is the balance: each record costs kRecordCost, what it carries
// pays for that, and the account is refilled at kRefill a second. RFC 8446, 4.6.3 and 5.1.
//
// Owned by a TLS transport; no thread of its own.
#pragma once

#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace simulcast::net {

enum class TlsError { flood = 1 };
boost::system::error_code make_error_code(TlsError error);

class TlsRecords {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::int64_t kRecordCost = 32;          // bytes that pay for a record
  static constexpr std::int64_t kMostCredit = 128 * 1024;  // 4096 records that carry nothing
  static constexpr std::int64_t kRefill = 32 * 1024;       // a second
  // Keys are good for 2^24 records: no honest peer changes them every second.
  static constexpr std::int64_t kMostKeyUpdates = 32;
  static constexpr std::chrono::seconds kKeyUpdatePeriod{1};

  // `length`: as the record's header has it.
  void record(std::size_t length, Clock::time_point now);
  void key_update(Clock::time_point now);
  // Too many of next to nothing: the connection is to be ended.
  bool flooded() const { return credit_ < 0 || key_updates_ > kMostKeyUpdates; }

 private:
  std::int64_t credit_ = kMostCredit;
  std::optional<Clock::time_point> credited_at_;
  std::int64_t key_updates_ = 0;
  Clock::time_point key_updated_at_{};
};

}  // namespace simulcast::net

template <>
struct boost::system::is_error_code_enum<simulcast::net::TlsError> : std::true_type {};
