// The handshakes of SRT callers that are under way, or failed a moment ago: how many there may be.
//
// libsrt takes half a megabyte for each caller that was let into the handshake and keeps it for seconds after
// that has failed, and whoever knows the port (and the stream id, where one is asked for) gets that far.
// Shared by the listeners that have one purse: the ingest has its own, and all outputs that are called have
// one together. An address stands for its customer(). Any thread; memory is bounded by the limits.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/srt_socket.hpp"

namespace simulcast::net {

class SrtHandshakes {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::size_t per_address = 32;
    std::size_t per_listener = 256;
    std::size_t total = 256;
  };
  // A handshake that has come to nothing by then never will.
  static constexpr std::chrono::seconds kForget{10};
  // So long libsrt keeps the memory of one that has failed.
  static constexpr std::chrono::seconds kForgetFailed{3};
  // What callers beyond the limits are told, in the numbers of SRT's access control guideline.
  static constexpr int kOverloaded = 1402;

  struct Handshake {
    std::string peer;
    std::string note;  // of whoever let it in; may be a secret
  };

  // `has_failed` asks libsrt.
  explicit SrtHandshakes(Limits limits, std::function<bool(SrtHandle)> has_failed = srt_handshake_failed);

  // A caller is let into the handshake, also when libsrt asks for it again. False: too many are there.
  // `listener` is whom it calls. On libsrt's thread: asks it nothing.
  bool begin(SrtHandle handle, const void* listener, const std::string& peer, std::string note = {},
             Clock::time_point now = Clock::now());
  // It is done. Nothing when it took so long that it was forgotten.
  std::optional<Handshake> end(SrtHandle handle);
  // Who of this listener's callers has failed since the last call. To be asked several times a second while
  // it listens, but not on libsrt's thread.
  std::vector<std::string> take_failed(const void* listener, Clock::time_point now = Clock::now());

  std::size_t size() const;

 private:
  struct Pending {
    Handshake handshake;
    const void* listener;
    boost::asio::ip::address from;
    Clock::time_point forget_at;
    bool failed = false;
  };

  const Limits limits_;
  const std::function<bool(SrtHandle)> has_failed_;
  mutable std::mutex mutex_;
  std::map<SrtHandle, Pending> pending_;
};

}  // namespace simulcast::net
