#include "control/random_hex.hpp"

#include <openssl/rand.h>
#include <spdlog/fmt/ranges.h>

#include <stdexcept>
#include <vector>

namespace simulcast::control {

std::string random_hex(std::size_t bytes) {
  std::vector<unsigned char> random(bytes);
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    throw std::runtime_error("the system has no random numbers to give");
  }
  return fmt::format("{:02x}", fmt::join(random, ""));
}

}  // namespace simulcast::control
