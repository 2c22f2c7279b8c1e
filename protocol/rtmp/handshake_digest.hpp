// The signed form of the handshake, used by ffmpeg and Flash-era encoders (not in the specification; every
// open implementation agrees on it).
//
// A packet of 1536 bytes carries 32 bytes of HMAC-SHA256 over its other 1504. Where they stand is itself in
// the packet: (sum of the four bytes at base) mod 728 + base + 4, with base 772 or 8.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace simulcast::rtmp {

using Digest = std::array<std::byte, 32>;

struct SignedPacket {
  Digest digest;
  std::size_t base = 0;
};

// The digest of a client's C1, if it carries a valid one.
std::optional<SignedPacket> find_client_digest(std::span<const std::byte> c1);
// Puts the server's digest into S1, with the same base as the client's.
void sign_s1(std::span<std::byte> s1, std::size_t base);
// Makes the last 32 bytes of S2 the answer to the client's digest.
void sign_s2(std::span<std::byte> s2, const Digest& client_digest);

// The same for a client, as real ones do it: for tests of the server.
void sign_c1(std::span<std::byte> c1, std::size_t base);
std::optional<SignedPacket> find_server_digest(std::span<const std::byte> s1);

}  // namespace simulcast::rtmp
