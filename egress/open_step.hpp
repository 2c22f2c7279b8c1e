// The steps of opening a connection to a destination, in their order. Plain values.
#pragma once

#include <cstdint>
#include <string_view>

namespace simulcast::egress {

enum class OpenStep : std::uint8_t {
  dns,
  tcp,
  tls,
  rtmp_handshake,
  connect,  // RTMP's command of that name, and createStream
  publish,
  srt_handshake,
};

// As the API calls it.
constexpr std::string_view to_string(OpenStep step) {
  switch (step) {
    case OpenStep::dns:
      return "dns";
    case OpenStep::tcp:
      return "tcp";
    case OpenStep::tls:
      return "tls";
    case OpenStep::rtmp_handshake:
      return "rtmp handshake";
    case OpenStep::connect:
      return "connect";
    case OpenStep::publish:
      return "publish";
    case OpenStep::srt_handshake:
      return "srt handshake";
  }
  return {};
}

// What is waited for meanwhile, for the user.
constexpr std::string_view waited_for(OpenStep step) {
  switch (step) {
    case OpenStep::dns:
      return "the address of the host";
    case OpenStep::tcp:
      return "the connection";
    case OpenStep::tls:
      return "the TLS handshake";
    case OpenStep::rtmp_handshake:
      return "the RTMP handshake: is there an RTMP server on this port?";
    case OpenStep::connect:
      return "the server's answer to connect";
    case OpenStep::publish:
      return "the server's consent to publish";
    case OpenStep::srt_handshake:
      return "the SRT handshake";
  }
  return {};
}

// Hears of each step as it begins.
class OpenWatch {
 public:
  virtual void step_began(OpenStep step) = 0;

 protected:
  ~OpenWatch() = default;
};

}  // namespace simulcast::egress
