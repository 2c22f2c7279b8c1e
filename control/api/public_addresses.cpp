#include "control/api/public_addresses.hpp"

#include <spdlog/fmt/fmt.h>

namespace simulcast::control {

namespace {

// A literal IPv6 address needs its brackets in a URL.
std::string host_of(const std::string& host) {
  const bool bare_v6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return bare_v6 ? "[" + host + "]" : host;
}

std::string authority(const std::string& host, std::uint16_t port, std::uint16_t usual) {
  return port == usual ? host_of(host) : fmt::format("{}:{}", host_of(host), port);
}

}  // namespace

std::string public_rtmp_url(const std::string& host, std::uint16_t port) {
  return fmt::format("rtmp://{}/live/", authority(host, port, 1935));
}

std::string public_rtmps_url(const std::string& host, std::uint16_t port) {
  return fmt::format("rtmps://{}/live/", authority(host, port, 443));
}

std::string public_srt_url(const std::string& host, std::uint16_t port) {
  return fmt::format("srt://{}:{}", host_of(host), port);
}

}  // namespace simulcast::control
