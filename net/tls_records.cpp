#include "net/tls_records.hpp"

#include <algorithm>
#include <string>

namespace simulcast::net {

namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "simulcastd.tls"; }
  std::string message(int) const override {
    return "the peer floods the connection with TLS records that carry next to nothing";
  }
};

// What encryption adds to a record: the tag, and in TLS 1.3 the kind of content.
constexpr std::int64_t kSealed = 17;
constexpr std::chrono::milliseconds kMostRefill{10'000};

}  // namespace

boost::system::error_code make_error_code(TlsError error) {
  static const Category category;
  return {static_cast<int>(error), category};
}

void TlsRecords::record(std::size_t length, Clock::time_point now) {
  const std::int64_t carried = std::max<std::int64_t>(0, static_cast<std::int64_t>(length) - kSealed);
  credit_ += carried - kRecordCost;
  if (credit_ < kMostCredit / 2) {  // above that there is nothing to refill for
    if (!credited_at_) credited_at_ = now;
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - *credited_at_);
    credit_ += std::min<std::int64_t>(passed.count(), kMostRefill.count()) * kRefill / 1000;
    *credited_at_ += passed;
  }
  credit_ = std::min(credit_, kMostCredit);
}

void TlsRecords::key_update(Clock::time_point now) {
  const std::int64_t periods = (now - key_updated_at_) / kKeyUpdatePeriod;
  if (periods > 0) {
    key_updates_ -= std::min(key_updates_, periods);
    key_updated_at_ = now;
  }
  ++key_updates_;
}

}  // namespace simulcast::net
