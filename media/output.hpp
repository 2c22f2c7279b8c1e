// The hub's view of whoever takes a stream's packets. Implemented by egress::Worker; called on the stream's
// shard only.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "media/packet.hpp"

namespace simulcast::media {

// Packets that are to be written together, in their order. All outputs of a lane that run are given the very
// same ones, so that what is made of them can be made once.
struct Batch {
  std::span<const Packet> packets;
  // Never the same again on this lane; 0: what one output starts with, given to it alone.
  std::uint64_t number = 0;
};

// Hears that a batch has been given to all outputs of a lane: what they have prepared for it can be done for
// all of them together.
class BatchGiven {
 public:
  virtual void batch_given() = 0;

 protected:
  ~BatchGiven() = default;
};

class Output {
 public:
  // The packet path: no blocking, no throwing, and no attach() or detach() from inside.
  virtual void take(const Batch& batch) = 0;
  // What of the stream does not come this way because the form cannot carry it, as a sentence; empty:
  // nothing.
  virtual void left_out(const std::string& sentence) { static_cast<void>(sentence); }

 protected:
  ~Output() = default;
};

}  // namespace simulcast::media
