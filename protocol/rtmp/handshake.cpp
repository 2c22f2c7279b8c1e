#include "protocol/rtmp/handshake.hpp"

#include <algorithm>
#include <random>

#include "protocol/big_endian.hpp"
#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/handshake_digest.hpp"

namespace simulcast::rtmp {

using boost::system::error_code;

namespace {

constexpr std::byte kVersion{3};
constexpr std::size_t kHello = 1 + kHandshakePacket;  // C0 and C1, or S0 and S1
// "5.0.3.1": any version from 3.0 on tells a client to look for the digest.
constexpr std::uint32_t kSignedServerVersion = 0x05000301;

void fill(std::span<std::byte> bytes, std::uint64_t seed) {
  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed ^ seed >> 32));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() >> 16);
}

// Appends a version byte and a packet: zero time, zero or product version, filler.
std::span<std::byte> append_hello(std::vector<std::byte>& out, std::uint64_t seed) {
  const std::size_t at = out.size();
  out.resize(at + kHello);
  out[at] = kVersion;
  const auto packet = std::span(out).subspan(at + 1);
  fill(packet.subspan(8), seed);
  return packet;
}

void take(std::span<const std::byte>& in, std::vector<std::byte>& received) {
  if (received.capacity() < kHello) received.reserve(kHello);
  const std::size_t taken = std::min(in.size(), kHello - received.size());
  received.insert(received.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(taken));
  in = in.subspan(taken);
}

void skip(std::span<const std::byte>& in, std::size_t& to_skip) {
  const std::size_t taken = std::min(in.size(), to_skip);
  in = in.subspan(taken);
  to_skip -= taken;
}

error_code check_client_version(std::byte version) {
  if (version == kVersion) return {};
  switch (std::to_integer<int>(version)) {
    case 0x16:
      return Error::tls_on_plain_port;  // a TLS handshake record
    case 6:
    case 8:
    case 9:
      return Error::encrypted_rtmp;
    case 'G':
    case 'P':
    case 'H':
    case 'O':
    case 'D':
    case 'C':
      return Error::http_on_rtmp_port;  // the first letter of each HTTP method
    default:
      return Error::bad_version;
  }
}

error_code check_server_version(std::byte version) {
  if (version == kVersion) return {};
  switch (std::to_integer<int>(version)) {
    case 0x15:
    case 0x16:
      return Error::tls_expected;  // a TLS alert or handshake record
    case 'H':
      return Error::http_answer;
    default:
      return Error::bad_version;
  }
}

}  // namespace

ServerHandshake::ServerHandshake(std::uint64_t seed) : seed_(seed) {}

error_code ServerHandshake::read(std::span<const std::byte>& in, std::vector<std::byte>& out) {
  if (!answered_) {
    take(in, received_);
    if (received_.empty()) return {};
    if (const error_code error = check_client_version(received_[0])) return error;
    if (received_.size() < kHello) return {};

    const auto c1 = std::span<const std::byte>(received_).subspan(1);
    // Who leaves the version zero does not sign, and the two HMACs are saved.
    const auto client = load_u32(c1.data() + 4) != 0 ? find_client_digest(c1) : std::nullopt;
    out.reserve(out.size() + kHello + kHandshakePacket);
    const auto s1 = append_hello(out, seed_);
    if (client) {
      store(s1.data() + 4, kSignedServerVersion, 4);
      sign_s1(s1, client->base);
      const std::size_t at = out.size();
      out.resize(at + kHandshakePacket);
      const auto s2 = std::span(out).subspan(at);
      fill(s2, seed_ + 1);
      sign_s2(s2, client->digest);
    } else {
      out.insert(out.end(), c1.begin(), c1.end());
    }
    answered_ = true;
    to_skip_ = kHandshakePacket;
    received_ = {};
  }
  skip(in, to_skip_);
  return {};
}

ClientHandshake::ClientHandshake(std::uint64_t seed) : seed_(seed) {}

void ClientHandshake::start(std::vector<std::byte>& out) {
  append_hello(out, seed_);
}

error_code ClientHandshake::read(std::span<const std::byte>& in, std::vector<std::byte>& out) {
  if (!answered_) {
    take(in, received_);
    if (received_.empty()) return {};
    if (const error_code error = check_server_version(received_[0])) return error;
    if (received_.size() < kHello) return {};
    out.insert(out.end(), received_.begin() + 1, received_.end());
    answered_ = true;
    to_skip_ = kHandshakePacket;
    received_ = {};
  }
  skip(in, to_skip_);
  return {};
}

}  // namespace simulcast::rtmp
