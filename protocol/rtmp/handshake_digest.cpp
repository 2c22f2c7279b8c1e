#include "protocol/rtmp/handshake_digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <string_view>

#include "protocol/big_endian.hpp"
#include "protocol/rtmp/handshake.hpp"

namespace simulcast::rtmp {

using namespace std::string_view_literals;

namespace {

constexpr std::size_t kDigest = std::tuple_size_v<Digest>;
constexpr std::size_t kSigned = kHandshakePacket - kDigest;
constexpr std::array<std::size_t, 2> kBases{772, 8};

// Public constants, both followed by the same 32 bytes; they prove nothing but that the other end knows them
// too.
constexpr std::string_view kServerKey =
    "Genuine Adobe Flash Media Server 001"
    "\xF0\xEE\xC2\x4A\x80\x68\xBE\xE8\x2E\x00\xD0\xD1\x02\x9E\x7E\x57"
    "\x6E\xEC\x5D\x2D\x29\x80\x6F\xAB\x93\xB8\xE6\x36\xCF\xEB\x31\xAE"sv;
constexpr std::string_view kServerWords = kServerKey.substr(0, 36);
constexpr std::string_view kClientWords = "Genuine Adobe Flash Player 001"sv;

Digest hmac(std::span<const std::byte> key, std::span<const std::byte> data) {
  Digest digest;
  unsigned int size = kDigest;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(data.data()), data.size(),
       reinterpret_cast<unsigned char*>(digest.data()), &size);
  return digest;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::size_t digest_position(std::span<const std::byte> packet, std::size_t base) {
  const std::byte* p = packet.data() + base;
  return (load_u8(p) + load_u8(p + 1) + load_u8(p + 2) + load_u8(p + 3)) % 728 + base + 4;
}

Digest digest_of(std::span<const std::byte> packet, std::size_t position, std::string_view key) {
  std::array<std::byte, kSigned> rest;
  const auto middle = std::ranges::copy(packet.first(position), rest.begin()).out;
  std::ranges::copy(packet.subspan(position + kDigest), middle);
  return hmac(bytes_of(key), rest);
}

std::optional<SignedPacket> find_digest(std::span<const std::byte> packet, std::string_view key) {
  for (const std::size_t base : kBases) {
    const std::size_t position = digest_position(packet, base);
    SignedPacket found{.digest = digest_of(packet, position, key), .base = base};
    if (std::ranges::equal(found.digest, packet.subspan(position, kDigest))) return found;
  }
  return std::nullopt;
}

void sign(std::span<std::byte> packet, std::size_t base, std::string_view key) {
  const std::size_t position = digest_position(packet, base);
  std::ranges::copy(digest_of(packet, position, key), packet.subspan(position).begin());
}

}  // namespace

std::optional<SignedPacket> find_client_digest(std::span<const std::byte> c1) {
  return find_digest(c1, kClientWords);
}

std::optional<SignedPacket> find_server_digest(std::span<const std::byte> s1) {
  return find_digest(s1, kServerWords);
}

void sign_s1(std::span<std::byte> s1, std::size_t base) {
  sign(s1, base, kServerWords);
}

void sign_c1(std::span<std::byte> c1, std::size_t base) {
  sign(c1, base, kClientWords);
}

void sign_s2(std::span<std::byte> s2, const Digest& client_digest) {
  const Digest key = hmac(bytes_of(kServerKey), client_digest);
  std::ranges::copy(hmac(key, s2.first(kSigned)), s2.subspan(kSigned).begin());
}

}  // namespace simulcast::rtmp
