// Identifiers and secrets: cryptographically random, as lower-case hex digits.
#pragma once

#include <cstddef>
#include <string>

namespace simulcast::control {

// Throws std::runtime_error when the system has no randomness to give.
std::string random_hex(std::size_t bytes);

}  // namespace simulcast::control
