// How deep the JSON of the API nests, for the daemon that writes it and simulcastctl that reads it.
#pragma once

#include <cstddef>

namespace simulcast::config {

// Levels of objects and arrays in `meta`, itself the first.
inline constexpr std::size_t kMaxMetaNesting = 16;
// In the body of a request, the body itself the first.
inline constexpr std::size_t kMaxBodyNesting = 32;
// What an answer puts around what a body had: its envelope, the result, a list and the item.
inline constexpr std::size_t kAnswerWrapping = 8;
// Whoever reads answers must take so many. A store of before kMaxMetaNesting may hold as much as a body had.
inline constexpr std::size_t kMaxAnswerNesting = kMaxBodyNesting + kAnswerWrapping;

}  // namespace simulcast::config
