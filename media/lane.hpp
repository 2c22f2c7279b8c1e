// One form of a stream: what is remembered for outputs that join, and the outputs that take this form.
//
// It keeps codec headers, metadata and the current GOP, gathers what is published into a batch, and gives
// each batch to every attached output. An output that attaches first gets the headers and the cached GOP from
// its keyframe; until there is one it gets nothing. Owned by media::Stream; lives on the stream's shard.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "media/gop_cache.hpp"
#include "media/output.hpp"
#include "media/packet.hpp"

namespace simulcast::media {

class Lane {
 public:
  // A batch that has grown to so many packets waits for nothing more.
  static constexpr std::size_t kMostWaiting = 32;

  // Hears of each batch once all outputs have it.
  void set_batch_given(BatchGiven* batch_given) { batch_given_ = batch_given; }

  // Forgets what was remembered. Outputs that run on are started again from the new headers and keyframe.
  void begin_publisher();

  void publish(Packet packet);
  // Gives what was published since the last time to the outputs.
  void flush();
  // There is something to give, but no video frame among it: the next one can take it along.
  bool may_wait() const {
    return !batch_.empty() && !video_in_batch_ && batch_.size() < kMostWaiting && gop_.expects_video();
  }

  // What an output that joins now would be given: it can begin; its headers, metadata among them; and the
  // GOP.
  bool ready() const { return gop_.ready(); }
  std::vector<Packet> headers() const;
  const std::deque<Packet>& gop() const { return gop_.packets(); }

  void attach(Output& output);
  // False when it was not attached here.
  bool detach(const Output& output);
  bool has_outputs() const { return !outputs_.empty(); }

  // What this form cannot carry of the stream, for the outputs to tell; empty: nothing is missing.
  void set_left_out(const std::string& sentence);

 private:
  struct Attached {
    Output* output;
    bool started;  // has been given its start point
  };

  void remember(const Packet& packet);
  void start(Attached& attached);

  std::vector<Attached> outputs_;
  std::vector<Packet> headers_;  // newest of each kind, role and track, in the order they first came
  std::optional<Packet> metadata_;
  GopCache gop_;
  std::string left_out_;

  BatchGiven* batch_given_ = nullptr;
  std::vector<Packet> batch_;
  std::uint64_t batches_ = 0;
  bool video_in_batch_ = false;
};

}  // namespace simulcast::media
