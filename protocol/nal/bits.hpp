// Bits of a raw byte sequence payload (RBSP): reading and writing with Exp-Golomb codes, and the emulation
// prevention around it.
//
// ITU-T H.264, 7.3.1, 7.4.1 and 9.1. Sans-I/O; plain values for one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace simulcast::nal {

// Reads past the end give zeros and make failed() true, so that a parser checks once, at its end.
class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint32_t bits(unsigned count);  // at most 32
  bool flag() { return bits(1) != 0; }
  // ue(v); more than 32 leading zeros are a failure.
  std::uint32_t ue();
  std::int32_t se();

  std::size_t position() const { return position_; }  // in bits
  std::size_t size() const { return bytes_.size() * 8; }
  bool failed() const { return failed_; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

class BitWriter {
 public:
  void bits(std::uint32_t value, unsigned count);  // at most 32
  void flag(bool value) { bits(value ? 1 : 0, 1); }
  void ue(std::uint32_t value);
  void se(std::int32_t value);
  bool aligned() const { return used_ == 0; }
  // Whole bytes; the writer must be aligned.
  void bytes(std::span<const std::byte> bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  std::vector<std::byte>& out() { return out_; }

 private:
  std::vector<std::byte> out_;
  unsigned used_ = 0;  // bits of the last byte
};

// Takes the emulation prevention out of, and puts it into, what follows the header of a NAL unit.
std::vector<std::byte> without_emulation_prevention(std::span<const std::byte> bytes);
void append_with_emulation_prevention(std::span<const std::byte> raw, std::vector<std::byte>& out);

}  // namespace simulcast::nal
