// The UDP port below SRT sockets, with a guard in front of it.
//
// libsrt believes what a handshake announces: for a flow window of a hundred million packets it takes
// gigabytes, before it has looked at the passphrase. Nothing can be put between it and its packets but a
// filter in the kernel, so every port that we open has one: handshakes beyond these limits are lost.
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <string>

#include "net/srt_runtime.hpp"

namespace simulcast::net {

// 90 MB under way, and 1.5 MB for libsrt to remember what of it was lost.
inline constexpr std::uint32_t kMaxSrtWindow = 65536;
// Below this not even SRT's own payload of a live stream fits.
inline constexpr std::uint32_t kMinSrtMtu = 256;
inline constexpr std::uint32_t kMaxSrtMtu = 65535;

// Binds a new socket to a port that nobody else has, or any for port 0. Gives the cause when that fails.
// `v6_only`: an IPv6 port does not take IPv4 as well.
std::string bind_srt_port(SrtHandle handle, const boost::asio::ip::udp::endpoint& local, bool v6_only);

}  // namespace simulcast::net
