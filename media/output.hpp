// The hub's view of whoever takes a stream's packets. Implemented by egress::Worker; called on the stream's
// shard only.
//
// offer() and flush() are the packet path: no blocking, no throwing, and no attach() or detach() from inside
// them.
#pragma once

#include <string>

#include "media/packet.hpp"

namespace simulcast::media {

class Output {
 public:
  // Takes a reference to the packet.
  virtual void offer(const Packet& packet) = 0;
  // The end of a batch (everything that came with one read was offered): now is the time to write.
  virtual void flush() = 0;
  // What of the stream does not come this way because the form cannot carry it, as a sentence; empty:
  // nothing.
  virtual void left_out(const std::string& sentence) { static_cast<void>(sentence); }

 protected:
  ~Output() = default;
};

}  // namespace simulcast::media
