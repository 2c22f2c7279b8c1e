// A hostile destination. Flags: 8 starts behind a good handshake, 16 ends the broadcast halfway.
#include "protocol/rtmp/client_session.hpp"

#include <vector>

#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

bool drain(rtmp::ClientSession& session, std::span<const std::byte> in) {
  for (;;) {
    const auto event = session.read(in);
    if (event.has_error()) {
      fuzz::check_told(event.error());
      return false;
    }
    if (!*event) break;
    if (const auto* rejected = std::get_if<rtmp::Rejected>(&**event)) {
      fuzz::check(rejected->description.size() <= rtmp::kMaxPeerWords);
      fuzz::check(rejected->description.find("secret-key") == std::string::npos);
      fuzz::check(rejected->code.find("secret-key") == std::string::npos);
    }
    if (std::holds_alternative<rtmp::PublishAccepted>(**event)) fuzz::check(session.stream_id() != 0);
  }
  fuzz::check(in.empty());
  fuzz::check(session.output().size() < (std::size_t{1} << 20));
  session.output().clear();
  return true;
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  rtmp::ClientOptions options;
  options.tc_url = "rtmp://host/app";
  options.app = "app";
  options.stream_name = "secret-key";
  options.handshake_seed = 1;
  rtmp::ClientSession session(options);
  session.start();
  if (input.flags & 8) {
    std::vector<std::byte> hello(1 + 2 * rtmp::kHandshakePacket);
    hello[0] = std::byte{3};
    if (!drain(session, hello)) return;
  }
  const std::size_t half = input.bytes.size() / 2;
  while (!input.bytes.empty()) {
    if (!drain(session, input.next())) return;
    if ((input.flags & 16) && input.bytes.size() <= half) session.finish();
  }
}
