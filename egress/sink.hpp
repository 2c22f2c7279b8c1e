// One connection to one destination: open, write, close. Made anew for each try (make_sink), owned by its
// Worker, used on the stream's shard only.
//
// The sink takes packets from the worker's mailbox as the destination takes bytes. write() and flush() are on
// the packet path: they never block and never throw; a failed write shows as the end of serve().
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "egress/mailbox.hpp"
#include "egress/open_step.hpp"
#include "egress/output_spec.hpp"
#include "media/output.hpp"
#include "media/trail.hpp"

namespace simulcast::egress {

class RtmpFanout;

struct Failure {
  enum class Kind {
    lost,     // could not connect, or the connection ended: try again soon
    hung_up,  // reached, but it hung up or misbehaved before it accepted: soon, and then as if it had said no
    rejected,  // the destination said no, or the address cannot work: trying again soon changes nothing
  } kind = Kind::lost;
  std::string message;  // a sentence for the user, in the peer's words where it gave any; never a secret
};

struct SinkStats {
  std::uint64_t bytes_sent = 0;   // payload bytes taken by the socket on this connection
  std::uint64_t frames_sent = 0;  // video frames, or audio frames where there is no video
  bool idle = true;               // nothing taken from the mailbox waits for the socket
  std::uint64_t bytes_acked = 0;  // by the peer's kernel, everything on the connection
  bool media_acknowledged = false;
  std::uint64_t retransmits = 0;
  std::chrono::microseconds rtt{};
  std::uint64_t packets_lost = 0;           // SRT: missed by the peer, most of them repaired
  std::uint64_t packets_dropped = 0;        // SRT: given up as too late
  std::chrono::milliseconds send_buffer{};  // SRT: sent, not yet acknowledged
};

class Sink {
 public:
  // From looking up the name to the accepted publish. A slow name server alone may need ten.
  static constexpr std::chrono::seconds kOpenTimeout{25};

  virtual ~Sink() = default;

  // Ends once the destination has accepted the publish, or with why it has not.
  virtual boost::asio::awaitable<std::optional<Failure>> open() = 0;
  // How long open() may take; nothing when it is the destination that calls.
  virtual std::optional<std::chrono::seconds> open_timeout() const { return kOpenTimeout; }
  // What open() is waiting for, for the user: "the TLS handshake".
  virtual std::string_view waiting_for() const { return waited_for(step_); }
  // From now on `watch` hears of the steps of open(); it must outlive that.
  void watch_open(OpenWatch& watch) { watch_ = &watch; }
  // Serves the open connection until it ends, and says why it did.
  virtual boost::asio::awaitable<Failure> serve() = 0;
  // Writes the batch without the mailbox, which is empty. False: not now, nothing was written.
  virtual bool write(const media::Batch& batch) {
    static_cast<void>(batch);
    return false;
  }
  // Writes as much of the mailbox as the socket takes.
  virtual void flush() = 0;
  // Tells the destination that the broadcast has ended and waits a moment for it to hang up. Only what was
  // begun is still sent, not the rest of the mailbox.
  virtual boost::asio::awaitable<void> finish() = 0;
  // Hangs up at once without ending the broadcast.
  virtual void close() = 0;

  virtual SinkStats stats() const = 0;

 protected:
  void begin(OpenStep step) {
    if (std::exchange(step_, step) != step || step == OpenStep::dns) {
      if (watch_ != nullptr) watch_->step_began(step);
    }
  }

 private:
  OpenStep step_ = OpenStep::dns;
  OpenWatch* watch_ = nullptr;
};

// `trail`: what the stream has come through, for a destination that is a relay. Throws nothing: an address
// that cannot work makes a sink whose open() says so.
std::unique_ptr<Sink> make_sink(const OutputSpec& spec, const media::Trail& trail, Mailbox& mailbox,
                                RtmpFanout& fanout, const Environment& environment,
                                const boost::asio::any_io_executor& executor);

}  // namespace simulcast::egress
