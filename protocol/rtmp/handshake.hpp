// The exchange that opens an RTMP connection, both ends (specification, 5.2).
//
//   C0 / S0     1 byte: version, 3
//   C1 / S1  1536 bytes: time u32, zero u32 (simple) or a product version (digest), 1528 bytes of filler
//   C2 / S2  1536 bytes: the peer's C1 / S1 (simple), or filler signed with the peer's digest
//
// Owned by a session, which feeds it until it is done; whatever follows the 3073rd byte is left to the
// session. The filler comes from `seed`: it keeps no secret, it only has to look filled.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace simulcast::rtmp {

inline constexpr std::size_t kHandshakePacket = 1536;

// Waits for C0 and C1, answers S0+S1+S2 in one piece, waits for C2 and does not look into it: real clients
// put other things there than the specification says. A C1 that carries a valid digest (ffmpeg, Flash-era
// encoders) is answered with one; every other gets the simple answer with bytes 4 to 7 zero, which tells it
// not to look for a digest.
class ServerHandshake {
 public:
  explicit ServerHandshake(std::uint64_t seed);

  // Consumes from the front of `in`, appends what is to be sent to `out`; true when the handshake is
  // complete. A client that does not speak RTMP is recognised at its first byte.
  boost::system::error_code read(std::span<const std::byte>& in, std::vector<std::byte>& out);
  bool done() const { return answered_ && to_skip_ == 0; }

 private:
  std::uint64_t seed_;
  std::vector<std::byte> received_;  // C0 and C1, released once answered
  std::size_t to_skip_ = 0;          // bytes of C2 still to come
  bool answered_ = false;
};

// Sends the simple C0+C1 (as OBS does to every service), echoes S1, waits for S2.
class ClientHandshake {
 public:
  explicit ClientHandshake(std::uint64_t seed);

  void start(std::vector<std::byte>& out);
  boost::system::error_code read(std::span<const std::byte>& in, std::vector<std::byte>& out);
  bool done() const { return answered_ && to_skip_ == 0; }

 private:
  std::uint64_t seed_;
  std::vector<std::byte> received_;  // S0 and S1
  std::size_t to_skip_ = 0;          // bytes of S2 still to come
  bool answered_ = false;
};

}  // namespace simulcast::rtmp
