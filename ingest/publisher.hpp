// How publishers get into the relay: what ingest needs from the daemon, and what the daemon sees of a
// publisher.
//
// Declared here, implemented by daemon/, stubbed in tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "media/status.hpp"
#include "media/stream.hpp"
#include "media/trail.hpp"

namespace simulcast::net {
class Shard;
}

namespace simulcast::ingest {

// A connection that feeds a stream. Lives on the stream's shard, where alone it may be called.
class Publisher {
 public:
  // Ends the connection soon: taken over, disabled, deleted, keys rotated. The reason goes to the log and,
  // where the protocol can say it, to the encoder.
  virtual void kick(std::string_view reason) = 0;
  // What its stream has come through before it got here.
  virtual const media::Trail& trail() const = 0;

 protected:
  ~Publisher() = default;
};

// Leave to publish: for which input, and where its stream lives.
struct Grant {
  std::string input_uid;
  net::Shard* shard = nullptr;
  media::IngestProtocol protocol = media::IngestProtocol::rtmp;
  media::Trail::Mark mark = 0;  // of the input
  std::shared_ptr<void> lease;  // keeps the input on that shard; goes with the last copy
};

struct Refusal {
  enum class Cause { unknown, disabled } cause = Cause::unknown;
  std::string reason;  // a sentence for the encoder's user; the same for an unknown and a wrong key
};

// What the connection of an encoder that names this input must be encrypted with.
struct SrtPassphrase {
  std::string text;  // a secret
};

class Gate {
 public:
  virtual ~Gate() = default;

  // Any thread, at once. Unknown, wrong and right keys take the same time.
  virtual std::variant<Grant, Refusal> authorize(std::string_view stream_key,
                                                 media::IngestProtocol protocol) = 0;

  // Any thread, at once. SRT proves the key in its handshake, so what it must be is asked first, by the uid
  // that the stream id names; authorize() follows with that passphrase as the key.
  virtual std::variant<SrtPassphrase, Refusal> srt_passphrase(std::string_view input_uid) = 0;

  // On the granted shard. Null when the input was disabled or deleted in the meantime. A publisher that is
  // there already is kicked: the newer one takes over.
  virtual media::Stream* publisher_arrived(const Grant& grant, Publisher& publisher) = 0;

  // On the granted shard, in turn: nothing is heard of the publisher although its connection stands, so the
  // stream holds; and it is heard again. True: it may stay until it is kicked.
  virtual bool publisher_silent(const Grant& grant, Publisher& publisher) = 0;
  virtual void publisher_heard(const Grant& grant, Publisher& publisher) = 0;

  // On the granted shard, once, after publisher_arrived() gave a stream. With a goodbye the show is over,
  // without one the stream holds for the encoder to come back.
  virtual void publisher_left(const Grant& grant, Publisher& publisher, bool goodbye) = 0;
};

}  // namespace simulcast::ingest
