// What the tests of this folder share: bytes from text, chunks built by hand (right and wrong), recorded
// fixtures.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulcast::test {

using Bytes = std::vector<std::byte>;

// "03 00 ff" and 'text' in single quotes.
inline Bytes hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\n') {
      ++i;
    } else if (text[i] == '\'') {
      for (++i; text.at(i) != '\''; ++i) bytes.push_back(static_cast<std::byte>(text[i]));
      ++i;
    } else {
      bytes.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
      i += 2;
    }
  }
  return bytes;
}

inline Bytes operator+(Bytes left, std::span<const std::byte> right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Bytes number(std::uint64_t value, int bytes) {
  Bytes out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift));
  return out;
}

// A body whose bytes all tell where they stand.
inline Bytes pattern(std::size_t size, unsigned seed = 0) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251 + seed);
  return bytes;
}

inline Bytes basic_header(unsigned format, std::uint32_t id) {
  if (id < 64) return number(format << 6 | id, 1);
  if (id < 320) return number(format << 6, 1) + number(id - 64, 1);
  return number(format << 6 | 1, 1) + number((id - 64) & 0xFF, 1) + number((id - 64) >> 8, 1);
}

struct Chunk {
  std::uint32_t id = 4;
  std::uint32_t time = 0;  // absolute or delta
  std::uint32_t length = 0;
  std::uint8_t type = 9;
  std::uint32_t stream_id = 1;
};

// Headers of each format; a time from 0xFFFFFF on goes into the extended field.
inline Bytes header(unsigned format, const Chunk& chunk) {
  const bool extended = chunk.time >= 0xFFFFFF;
  Bytes out = basic_header(format, chunk.id) + number(extended ? 0xFFFFFF : chunk.time, 3);
  if (format <= 1) out = out + number(chunk.length, 3) + number(chunk.type, 1);
  if (format == 0) {
    for (int shift = 0; shift < 32; shift += 8) out = out + number((chunk.stream_id >> shift) & 0xFF, 1);
  }
  if (extended) out = out + number(chunk.time, 4);
  return out;
}

// A whole message: `head`, then the body in pieces with a format 3 header between, followed by `repeat` if
// given.
inline Bytes chunked(Bytes head, std::uint32_t id, std::span<const std::byte> body, std::size_t chunk_size,
                     const Bytes& repeat = {}) {
  for (bool first = true;; first = false) {
    if (!first) head = std::move(head) + basic_header(3, id) + repeat;
    const auto slice = body.first(std::min(body.size(), chunk_size));
    head = std::move(head) + slice;
    body = body.subspan(slice.size());
    if (body.empty()) return head;
  }
}

inline Bytes fixture(const std::string& name) {
  std::ifstream file(std::string(SIMULCASTD_FIXTURES) + "/rtmp/" + name, std::ios::binary);
  if (!file) throw std::runtime_error("no fixture " + name);
  const std::vector<char> content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto bytes = std::as_bytes(std::span(content));
  return {bytes.begin(), bytes.end()};
}

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace simulcast::test
