// What is wanted of one output, and what all outputs share. Plain values, made by the daemon.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "media/packet.hpp"

namespace simulcast::net {
class Resolver;
class SrtHandshakes;
class SrtRuntime;
class TlsContext;
}  // namespace simulcast::net

namespace simulcast::egress {

struct OutputSpec {
  std::string input_uid;
  std::string uid;
  std::string url;
  std::string stream_key;  // a secret
  bool verify_tls = true;

  // What the destination takes: MPEG-TS by SRT, FLV by RTMP.
  media::PacketForm form() const;

  bool operator==(const OutputSpec&) const = default;
};

// Lives as long as any worker; used from every shard, so nothing in it changes after start-up.
struct Environment {
  net::Resolver& resolver;
  std::shared_ptr<net::TlsContext> tls;
  net::SrtRuntime& srt;
  net::SrtHandshakes& srt_handshakes;  // of those that call outputs; locks for itself
  config::Egress config;
};

}  // namespace simulcast::egress
