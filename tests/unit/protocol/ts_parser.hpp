// A small MPEG-TS parser for tests, written from ISO/IEC 13818-1 and sharing nothing with the muxer: packets
// with their adaptation fields, tables, PES packets put together again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::test {

struct TsPacket {
  unsigned pid = 0;
  bool starts_unit = false;
  unsigned counter = 0;
  bool discontinuity = false;
  bool random_access = false;
  std::optional<std::int64_t> pcr;  // 27 MHz
  Bytes payload;
};

inline TsPacket ts_packet(std::span<const std::byte> bytes) {
  const auto u8 = [&](std::size_t at) { return std::to_integer<unsigned>(bytes[at]); };
  if (bytes.size() != 188 || u8(0) != 0x47) throw std::runtime_error("not a TS packet");
  TsPacket packet;
  packet.pid = (u8(1) & 0x1F) << 8 | u8(2);
  packet.starts_unit = (u8(1) & 0x40) != 0;
  packet.counter = u8(3) & 0x0F;
  std::size_t begin = 4;
  if ((u8(3) & 0x20) != 0) {
    begin = 5 + u8(4);
    if (u8(4) > 0) {
      packet.discontinuity = (u8(5) & 0x80) != 0;
      packet.random_access = (u8(5) & 0x40) != 0;
      if ((u8(5) & 0x10) != 0) {
        std::int64_t base = 0;
        for (std::size_t i = 6; i < 10; ++i) base = base << 8 | u8(i);
        packet.pcr = (base << 1 | u8(10) >> 7) * 300 + ((u8(10) & 1) << 8 | u8(11));
      }
    }
  }
  if ((u8(3) & 0x10) != 0)
    packet.payload.assign(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.end());
  return packet;
}

struct Pes {
  unsigned pid = 0;
  std::int64_t pts = 0;  // 90 kHz, 33 bits
  std::int64_t dts = 0;
  bool random_access = false;
  std::optional<std::int64_t> pcr;
  Bytes data;
};

inline std::int64_t pes_time(std::span<const std::byte> bytes) {
  const auto u8 = [&](std::size_t at) { return std::to_integer<std::int64_t>(bytes[at]); };
  return (u8(0) >> 1 & 7) << 30 | u8(1) << 22 | (u8(2) >> 1) << 15 | u8(3) << 7 | u8(4) >> 1;
}

// Takes whole packets one after the other. Tables are those of one program.
class TsParser {
 public:
  void push(std::span<const std::byte> bytes) {
    for (; !bytes.empty(); bytes = bytes.subspan(188)) take(ts_packet(bytes.first(188)));
  }
  // To be called at the end: an unbounded PES packet ends with the next, or here.
  void finish() {
    for (auto& [pid, open] : open_) close(open);
    open_.clear();
  }

  std::vector<Pes> of(unsigned pid) const {
    std::vector<Pes> found;
    std::ranges::copy_if(pes, std::back_inserter(found), [&](const Pes& one) { return one.pid == pid; });
    return found;
  }

  std::vector<TsPacket> packets;  // without payload
  std::vector<Pes> pes;
  std::map<unsigned, unsigned> streams;  // by PID: stream type
  unsigned clock_pid = 0;
  unsigned version = 0;
  std::string service;        // of the SDT
  int broken_continuity = 0;  // not marked as a discontinuity
  int marked_discontinuities = 0;

 private:
  struct Open {
    unsigned pid = 0;
    bool random_access = false;
    std::optional<std::int64_t> pcr;
    Bytes bytes;
  };

  void take(TsPacket packet) {
    if (packet.discontinuity) {
      ++marked_discontinuities;
    } else if (const auto last = counters_.find(packet.pid);
               last != counters_.end() && !packet.payload.empty()) {
      if (packet.counter != (last->second + 1) % 16) ++broken_continuity;
    }
    counters_[packet.pid] = packet.counter;
    if (packet.pid == 0) {
      tables_pid_ = u16(packet.payload, 1 + 10) & 0x1FFF;
    } else if (packet.pid == 0x11) {
      describe(packet.payload);
    } else if (packet.pid == tables_pid_) {
      if (packet.starts_unit) table_.clear();
      table_ = std::move(table_) + packet.payload;
      if (table_.size() >= 4 + (u16(table_, 2) & 0xFFF)) program(table_);
    } else {
      Open& open = open_[packet.pid];
      if (packet.starts_unit) {
        close(open);
        open = {packet.pid, packet.random_access, packet.pcr, {}};
      }
      open.bytes = std::move(open.bytes) + packet.payload;
    }
    packet.payload.clear();
    packets.push_back(std::move(packet));
  }

  static unsigned u8(const Bytes& bytes, std::size_t at) { return std::to_integer<unsigned>(bytes.at(at)); }
  static unsigned u16(const Bytes& bytes, std::size_t at) { return u8(bytes, at) << 8 | u8(bytes, at + 1); }

  // One section, pointer field 0.
  void program(const Bytes& table) {
    streams.clear();
    version = u8(table, 6) >> 1 & 0x1F;
    clock_pid = u16(table, 9) & 0x1FFF;
    const std::size_t end = 4 + (u16(table, 2) & 0xFFF) - 4;
    for (std::size_t at = 13 + (u16(table, 11) & 0xFFF); at < end; at += 5 + (u16(table, at + 3) & 0xFFF)) {
      streams[u16(table, at + 1) & 0x1FFF] = u8(table, at);
    }
  }

  void describe(const Bytes& table) {
    const std::size_t provider = 1 + 11 + 5 + 3;  // length of the provider name in the service descriptor
    const std::size_t name = provider + 1 + u8(table, provider);
    service = text_of(std::span(table).subspan(name + 1, u8(table, name)));
  }

  void close(Open& open) {
    if (open.bytes.size() < 14) return;
    const auto bytes = std::span<const std::byte>(open.bytes);
    Pes one{open.pid, pes_time(bytes.subspan(9)), 0, open.random_access, open.pcr, {}};
    one.dts = (u8(open.bytes, 7) & 0x40) != 0 ? pes_time(bytes.subspan(14)) : one.pts;
    const unsigned length = u16(open.bytes, 4);
    if (length != 0 && length + 6 != bytes.size()) throw std::runtime_error("PES packet of another length");
    const auto data = bytes.subspan(9 + u8(open.bytes, 8));
    one.data.assign(data.begin(), data.end());
    pes.push_back(std::move(one));
    open.bytes.clear();
  }

  std::map<unsigned, unsigned> counters_;
  std::map<unsigned, Open> open_;
  unsigned tables_pid_ = 0x1FFF;
  Bytes table_;
};

}  // namespace simulcast::test
