// A stranger's connection. Flags: 8 starts behind a good handshake, 16 refuses the publish, 32 answers it one
// piece late.
#include "protocol/rtmp/server_session.hpp"

#include <vector>

#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

// Each event the way an ingest session handles it; false at the end of the session.
bool drain(rtmp::ServerSession& session, std::span<const std::byte> in, std::uint8_t flags, bool& pending) {
  for (;;) {
    const auto event = session.read(in);
    if (event.has_error()) {
      fuzz::check_told(event.error());
      return false;
    }
    if (!*event) break;
    if (std::holds_alternative<rtmp::PublishRequest>(**event)) {
      const auto& request = std::get<rtmp::PublishRequest>(**event);
      fuzz::check(request.app == "live" && !request.key.empty());
      if (flags & 16) {
        session.reject_publish("NetStream.Publish.BadName", "no");
      } else if (flags & 32) {
        pending = true;
      } else {
        session.accept_publish();
      }
    }
  }
  fuzz::check(in.empty());
  fuzz::check(session.output().size() < (std::size_t{1} << 20));
  session.output().clear();
  return true;
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  rtmp::ServerSession session({.handshake_seed = 1});
  bool pending = false;
  if (input.flags & 8) {
    std::vector<std::byte> hello(1 + 2 * rtmp::kHandshakePacket);
    hello[0] = std::byte{3};
    if (!drain(session, hello, input.flags, pending)) return;
  }
  while (!input.bytes.empty()) {
    if (!drain(session, input.next(), input.flags, pending)) return;
    if (pending) session.accept_publish();
  }
}
