// Writes an MPEG-TS for tests, packet by packet: tables, PES packets, and the damage wanted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/big_endian.hpp"
#include "protocol/mpegts/packet.hpp"
#include "protocol/mpegts/section.hpp"

namespace simulcast::test {

using ByteVector = std::vector<std::byte>;

inline ByteVector read_fixture(const std::string& name) {
  std::ifstream file(std::string(SIMULCASTD_FIXTURES) + "/mpegts/" + name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline ByteVector operator+(ByteVector left, const ByteVector& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

class TsWriter {
 public:
  struct Stream {
    unsigned type;
    unsigned pid;
    ByteVector descriptors = {};
  };
  struct PesOptions {
    std::optional<std::int64_t> pts = std::nullopt;
    std::optional<std::int64_t> dts = std::nullopt;
    bool random_access = false;
    bool bounded = false;
    unsigned stream_id = 0xE0;
  };

  // One packet: as much of `payload` as fits, at most `most`, stuffed by an adaptation field.
  ByteVector packet(unsigned pid, bool unit_start, std::span<const std::byte>& payload,
                    bool random_access = false, std::size_t most = 184) {
    const std::size_t room = std::min<std::size_t>(most, random_access ? 182 : 184);
    const std::size_t size = std::min(room, payload.size());
    const std::size_t stuffing = 184 - size;
    ByteVector out;
    append(out, 0x47, 1);
    append(out, (unit_start ? 0x4000U : 0U) | pid, 2);
    append(out, (stuffing > 0 ? 0x30U : 0x10U) | counters_[pid], 1);
    counters_[pid] = (counters_[pid] + 1) & 0x0F;
    if (stuffing > 0) append(out, stuffing - 1, 1);
    if (stuffing > 1) append(out, random_access ? 0x40 : 0, 1);
    out.resize(188 - size, std::byte{0xFF});
    out.insert(out.end(), payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(size));
    payload = payload.subspan(size);
    return out;
  }

  // `most` bytes of it per packet.
  ByteVector section(unsigned pid, ByteVector section, std::size_t most = 184) {
    section.insert(section.begin(), std::byte{0});  // pointer
    ByteVector out;
    std::span<const std::byte> rest(section);
    for (bool first = true; !rest.empty(); first = false) {
      ByteVector one;
      if (rest.size() >= most) {
        one = packet(pid, first, rest, false, most);
      } else {  // sections end in stuffing of their own
        ByteVector padded(rest.begin(), rest.end());
        padded.resize(184, std::byte{0xFF});
        std::span<const std::byte> all(padded);
        one = packet(pid, first, all);
        rest = {};
      }
      out = out + one;
    }
    return out;
  }

  static ByteVector table(unsigned id, unsigned number, unsigned version, const ByteVector& body) {
    ByteVector out;
    append(out, id, 1);
    append(out, 0xB000 | (body.size() + 9), 2);
    append(out, number, 2);
    append(out, 0xC1 | version << 1, 1);
    append(out, 0, 2);
    out = out + body;
    append(out, mpegts::crc32(out), 4);
    return out;
  }

  ByteVector pat(const std::vector<std::pair<unsigned, unsigned>>& programs, unsigned version = 0) {
    ByteVector body;
    for (const auto& [number, pid] : programs) {
      append(body, number, 2);
      append(body, 0xE000 | pid, 2);
    }
    return section(0, table(0, 1, version, body));
  }

  static ByteVector pmt_section(unsigned number, const std::vector<Stream>& streams, unsigned version = 0) {
    ByteVector body;
    append(body, 0xE000 | (streams.empty() ? 0x1FFFU : streams[0].pid), 2);
    append(body, 0xF000, 2);
    for (const Stream& stream : streams) {
      append(body, stream.type, 1);
      append(body, 0xE000 | stream.pid, 2);
      append(body, 0xF000 | stream.descriptors.size(), 2);
      body = body + stream.descriptors;
    }
    return table(2, number, version, body);
  }
  ByteVector pmt(unsigned pid, unsigned number, const std::vector<Stream>& streams, unsigned version = 0) {
    return section(pid, pmt_section(number, streams, version));
  }

  ByteVector pes(unsigned pid, const ByteVector& bytes, const PesOptions& options) {
    ByteVector header;
    const std::size_t stamps = options.dts ? 10 : options.pts ? 5 : 0;
    append(header, 0x000001, 3);
    append(header, options.stream_id, 1);
    append(header, options.bounded ? 3 + stamps + bytes.size() : 0, 2);
    append(header, 0x80, 1);
    append(header, options.dts ? 0xC0 : options.pts ? 0x80 : 0, 1);
    append(header, stamps, 1);
    if (options.pts) append_stamp(header, options.dts ? 3 : 2, *options.pts);
    if (options.dts) append_stamp(header, 1, *options.dts);
    const ByteVector whole = header + bytes;
    std::span<const std::byte> rest(whole);
    ByteVector out = packet(pid, true, rest, options.random_access);
    while (!rest.empty()) {
      const auto next = packet(pid, false, rest);
      out.insert(out.end(), next.begin(), next.end());
    }
    return out;
  }

  void skip_counter(unsigned pid) { counters_[pid] = (counters_[pid] + 1) & 0x0F; }

 private:
  static void append_stamp(ByteVector& out, std::uint64_t marker, std::int64_t stamp) {
    const auto value = static_cast<std::uint64_t>(stamp) & 0x1'FFFF'FFFF;
    append(out, marker << 4 | value >> 30 << 1 | 1, 1);
    append(out, (value >> 15 & 0x7FFF) << 1 | 1, 2);
    append(out, (value & 0x7FFF) << 1 | 1, 2);
  }

  std::map<unsigned, unsigned> counters_;
};

// NAL units with start codes.
inline ByteVector annex_b(const std::vector<std::string>& units) {
  ByteVector out;
  for (const std::string& unit : units) {
    append(out, 1, 4);
    const auto bytes = std::as_bytes(std::span(unit));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

}  // namespace simulcast::test
