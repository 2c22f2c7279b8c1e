#include "net/descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace simulcast::net {

namespace {

constexpr rlim_t kLeastReserve = 32;
constexpr rlim_t kMostReserve = 1024;
constexpr rlim_t kShare = 8;  // one in so many
// More than a kernel table of 8 MiB holds nobody needs; "unlimited" is no number to take a share of.
constexpr rlim_t kMostDescriptors = 1 << 20;

// One in so many of the reserve.
constexpr rlim_t kApiShare = 8;

rlim_t reserve_of(rlim_t limit) {
  return std::clamp(limit / kShare, kLeastReserve, kMostReserve);
}

// One in so many of the reserve is not for this use.
rlim_t part_kept_from(DescriptorUse use) {
  switch (use) {
    case DescriptorUse::encoder:
      return 1;
    case DescriptorUse::api:
      return 2;
    case DescriptorUse::output:
      return 4;
    case DescriptorUse::api_share:
      return kApiShare;
  }
  return 1;
}

rlim_t current_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMostDescriptors;
  return std::min<rlim_t>(limit.rlim_cur, kMostDescriptors);
}

}  // namespace

void fill_standard_descriptors() {
  int descriptor = 0;
  while (descriptor >= 0 && descriptor <= STDERR_FILENO) {
    descriptor = ::open("/dev/null", O_RDWR);  // the lowest number that is free
  }
  if (descriptor >= 0) ::close(descriptor);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, kMostDescriptors);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t api_share() {
  return static_cast<std::size_t>(reserve_of(current_limit()) / kApiShare);
}

bool is_reserved(int descriptor, DescriptorUse use) {
  const rlim_t limit = current_limit();
  const rlim_t kept = reserve_of(limit) / part_kept_from(use);
  return limit < kept || static_cast<rlim_t>(descriptor) >= limit - kept;
}

bool has_descriptor(DescriptorUse use) {
  const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (next < 0) return false;
  ::close(next);
  return !is_reserved(next, use);
}

}  // namespace simulcast::net
