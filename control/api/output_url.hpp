// Whether a destination's address and key can be used at all: judged from the text alone, when an output is
// created or changed. Names are resolved, and the addresses they give are judged, when the output connects.
//
// Functions return a sentence that says what is wrong, or an empty string. The sentence never quotes the
// address or the key, for either may hold a secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace simulcast::control {

constexpr std::size_t kMaxOutputUrl = 2048;  // more than any platform hands out
constexpr std::size_t kMaxStreamKey = 2048;  // far below the 65535 of an AMF0 string

std::string output_url_problem(std::string_view url, const std::vector<config::Network>& denied);
std::string stream_key_problem(std::string_view stream_key, bool srt);

}  // namespace simulcast::control
