// Where encoders reach this relay, as the API tells them. An address is there only while its listener is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace simulcast::control {

struct PublicAddresses {
  std::optional<std::string> rtmp_url;   // rtmp://host[:port]/live/
  std::optional<std::string> rtmps_url;  // rtmps://host[:port]/live/
  std::optional<std::string> srt_url;    // srt://host:port
};

// `host` is a name or a literal address. The scheme's own port (1935, 443) is left out; SRT has none of its
// own.
std::string public_rtmp_url(const std::string& host, std::uint16_t port);
std::string public_rtmps_url(const std::string& host, std::uint16_t port);
std::string public_srt_url(const std::string& host, std::uint16_t port);

}  // namespace simulcast::control
