// Where an output leads to, and as what stream: the same for all spellings of one address.
//
// Two outputs that publish the same stream to the same server end each other's broadcast. Servers take many
// spellings for one; where they differ in what they take, this errs towards "the same". Plain values and pure
// functions.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace simulcast::control {

struct Destination {
  enum class Protocol : std::uint8_t { rtmp, srt };

  Protocol protocol = Protocol::rtmp;
  // A name in lower case, or an address in its one form; "localhost" for whatever leads to this machine by
  // its text alone.
  std::string host;
  std::uint16_t port = 0;
  bool usual_port = false;  // 1935 for rtmp://, 443 for rtmps://: two doors of one server
  // What is published there, a secret. By RTMP the path and the key as one path, percent signs decoded,
  // without what follows a '?' (tokens and signatures) unless nothing stands in front of that. By SRT the
  // stream id.
  std::string stream;
};

// Nothing for an output that waits to be called (mode=listener), or an address that makes no sense.
std::optional<Destination> destination_of(std::string_view url, std::string_view stream_key);

// All but the host is the same: names and addresses can be compared only by looking them up.
bool same_but_for_host(const Destination& left, const Destination& right);

// In the one form that it has as a host: IPv4 out of IPv6, this machine's own as "localhost".
std::string host_of(const boost::asio::ip::address& address);

}  // namespace simulcast::control
