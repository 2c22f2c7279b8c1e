// Both ends of the handshake. A signature is beyond a fuzzer, so some packets get a good one. Flags: 8 our
// end is the client, 16 the packet is signed as ffmpeg does it, 32 with the digest in the second place.
#include "protocol/rtmp/handshake.hpp"

#include <optional>
#include <vector>

#include "protocol/big_endian.hpp"
#include "protocol/rtmp/handshake_digest.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

constexpr std::size_t kHello = 1 + rtmp::kHandshakePacket;
constexpr std::size_t kWhole = kHello + rtmp::kHandshakePacket;

template <class Handshake>
void shake(Handshake& handshake, fuzz::Input input, std::vector<std::byte>& out, std::size_t left_over) {
  while (!input.bytes.empty()) {
    auto piece = input.next();
    if (const auto error = handshake.read(piece, out)) return fuzz::check_told(error);
    if (!handshake.done()) {
      fuzz::check(piece.empty());
      continue;
    }
    // What follows belongs to the session.
    fuzz::check(piece.size() + input.bytes.size() == left_over);
    return;
  }
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  std::vector<std::byte> bytes(input.bytes.begin(), input.bytes.end());
  const std::size_t base = (input.flags & 32) != 0 ? 8 : 772;
  const bool can_sign = (input.flags & 16) != 0 && bytes.size() >= kHello;
  if (can_sign) {
    bytes[0] = std::byte{3};
    const auto packet = std::span(bytes).subspan(1, rtmp::kHandshakePacket);
    rtmp::sign_c1(packet, base);
    const auto found = rtmp::find_client_digest(packet);
    check(found.has_value());
  }
  input.bytes = bytes;
  const std::size_t left_over = bytes.size() > kWhole ? bytes.size() - kWhole : 0;

  std::vector<std::byte> out;
  if ((input.flags & 8) != 0) {
    rtmp::ClientHandshake client(1);
    client.start(out);
    shake(client, input, out, left_over);
    check(out.size() == kHello || out.size() == kHello + rtmp::kHandshakePacket);
    return;
  }
  rtmp::ServerHandshake server(1);
  shake(server, input, out, left_over);
  check(out.empty() || out.size() == kWhole);
  // Who signs, and says so by a version, gets a signature back.
  if (can_sign && !out.empty() && load_u32(&bytes[5]) != 0) {
    check(rtmp::find_server_digest(std::span(out).subspan(1, rtmp::kHandshakePacket)).has_value());
  }
}
