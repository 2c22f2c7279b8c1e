// The address of an SRT destination: srt://host:port?streamid=&passphrase=&pbkeylen=&latency=&mode=
//
// The keys and their meaning are those of libsrt's tools, except that anything else is an error; latency is
// in milliseconds. Pure functions, any thread. A problem is a sentence that never quotes a value, for it may
// be a secret.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace simulcast::net {

inline constexpr std::size_t kMaxSrtStreamId = 512;   // SRT_CMD_SID
inline constexpr std::size_t kMinSrtPassphrase = 10;  // SRT's own bounds
inline constexpr std::size_t kMaxSrtPassphrase = 79;
inline constexpr std::chrono::seconds kMaxSrtLatency{60};  // a longer one is a mistake in the unit

struct SrtUrl {
  enum class Mode : std::uint8_t { caller, listener, rendezvous };

  std::string host;  // without brackets
  std::uint16_t port = 0;
  Mode mode = Mode::caller;
  std::optional<std::string> stream_id;
  std::string passphrase;  // a secret; empty: not encrypted
  int key_length = 0;      // 16, 24 or 32; 0: not said
  std::optional<std::chrono::milliseconds> latency;
};

struct SrtUrlProblem {
  std::string sentence;
};

bool is_srt_url(std::string_view url);
std::variant<SrtUrl, SrtUrlProblem> parse_srt_url(std::string_view url);

}  // namespace simulcast::net
