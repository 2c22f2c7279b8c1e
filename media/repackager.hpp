// Turns the packets of one form into the other, once per stream.
//
// Declared here for media::Stream, which owns one while outputs of the other form are attached; implemented
// in repackage/. Lives on the stream's shard: no blocking, no throwing for bad media, which is left out and
// counted.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "media/packet.hpp"

namespace simulcast::media {

class Repackager {
 public:
  virtual ~Repackager() = default;

  // Headers first, then frames from a keyframe on, as an output gets them. What comes of it is added to `out`
  // in the order it is to be sent; the clock of dts and pts stays the one of what was pushed, except that
  // MPEG-TS taken apart gives the times of its PES headers, unwrapped.
  virtual void push(const Packet& packet, std::vector<Packet>& out) = 0;
  // The end of a batch: nothing that is complete is kept back.
  virtual void flush(std::vector<Packet>& out) = 0;
  // The packets of a new publisher follow, headers first.
  virtual void begin_publisher() = 0;
  // Nothing more comes of this publisher for now, with or without a goodbye: what is whole goes out, what is
  // not is given up. Filler of the same tracks may follow.
  virtual void end_run(std::vector<Packet>& out) = 0;

  // What the other form cannot carry, as a sentence for the user; empty when everything is carried.
  virtual const std::string& left_out() const = 0;
};

using RepackagerFactory = std::function<std::unique_ptr<Repackager>(PacketForm from, PacketForm to)>;

}  // namespace simulcast::media
