// The daemon's settings as plain values: what simulcastd.yaml says, or its defaults.
//
// Loaded once before anything is opened, then only read; a reload makes a new Config. Durations and sizes
// carry their unit in the type or the name. See simulcastd.yaml in this folder for what each setting means.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace simulcast::config {

// host:port, host being a literal address (IPv6 without brackets) or a name; port 0 means any free port.
struct Listen {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const Listen&) const = default;
};

struct Certificate {
  std::filesystem::path certificate;  // PEM, leaf first, chain behind it
  std::filesystem::path key;          // PEM

  bool operator==(const Certificate&) const = default;
};

struct Token {
  std::string secret;   // never shown
  std::string account;  // empty: every account
  bool read_only = false;

  bool operator==(const Token&) const = default;
};

struct Control {
  std::optional<Listen> listen = Listen{"127.0.0.1", 8080};
  // Valid are these and those in the file; with neither, one is made and kept in state_dir.
  std::vector<Token> tokens;
  std::filesystem::path tokens_file;  // one token a line; read again on SIGHUP
  std::optional<Certificate> tls;
  std::vector<std::string> hosts;  // names that browsers may call the API by, besides public_host
  std::optional<Listen> metrics;   // a listener for /metrics alone, without credentials

  bool operator==(const Control&) const = default;
};

struct RtmpIngest {
  Listen listen;

  bool operator==(const RtmpIngest&) const = default;
};

struct RtmpsIngest {
  Listen listen;
  Certificate certificate;

  bool operator==(const RtmpsIngest&) const = default;
};

struct SrtIngest {
  Listen listen;
  std::chrono::milliseconds latency{120};

  bool operator==(const SrtIngest&) const = default;
};

struct Ingest {
  std::optional<RtmpIngest> rtmp = RtmpIngest{{"0.0.0.0", 1935}};
  std::optional<RtmpsIngest> rtmps;
  std::optional<SrtIngest> srt = SrtIngest{{"0.0.0.0", 8890}};

  bool operator==(const Ingest&) const = default;
};

struct Stream {
  std::chrono::milliseconds hold{std::chrono::seconds{30}};  // for an encoder that vanished
  bool hold_on_goodbye = false;                              // also for one that ended its stream
  std::filesystem::path slate;                               // shown meanwhile; empty: the last keyframe

  bool operator==(const Stream&) const = default;
};

// An address range such as 169.254.0.0/16; `address` is 4 or 16 bytes in network order.
struct Network {
  std::vector<std::uint8_t> address;
  unsigned prefix_length = 0;
  std::string text;  // as written, for messages

  bool operator==(const Network&) const = default;
};

struct Egress {
  std::chrono::milliseconds queue_duration{std::chrono::seconds{10}};
  std::uint64_t queue_bytes = std::uint64_t{64} << 20;
  std::chrono::milliseconds audio_wait{25};  // for the next video frame, to go out in one write with it
  std::filesystem::path ca_file;             // on top of the system's CAs
  std::filesystem::path platforms;           // what platforms want; empty: the file that was installed
  // Link-local by default: cloud machines answer with their credentials there.
  std::vector<Network> deny = {{{169, 254, 0, 0}, 16, "169.254.0.0/16"},
                               {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10, "fe80::/10"}};

  bool operator==(const Egress&) const = default;
};

enum class LogLevel { trace, debug, info, warn, error };
enum class LogFormat { text, json };

struct Log {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;

  bool operator==(const Log&) const = default;
};

struct Config {
  std::filesystem::path state_dir = "/var/lib/simulcastd";
  std::string public_host = "localhost";  // as it stands in a URL: IPv6 in brackets
  std::string account;                    // 32 hex digits; empty: made and kept in state_dir on first start
  Control control;
  Ingest ingest;
  Stream stream;
  Egress egress;
  unsigned outputs_per_input = 50;
  unsigned requests_per_second = 1000;  // of the API, from one other machine
  // Connections that have not shown a key yet: from one address, and altogether.
  unsigned strangers_per_address = 256;
  unsigned strangers = 4096;
  Log log;
  unsigned threads = 0;  // shards; 0: one per core

  bool operator==(const Config&) const = default;
};

}  // namespace simulcast::config
