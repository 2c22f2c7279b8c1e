// The hub: one live stream, from its publisher to the outputs that are attached.
//
// It has a lane for each form that packets come in. The publisher's own lane gets what arrives; the other one
// gets it repackaged, once for all outputs there, and only while there are any. Timestamps of FLV packets are
// mapped to the stream's clock; datagrams of MPEG-TS keep their own clock inside, and carry the time of their
// arrival.
//
// A publisher's run begins with its first keyframe: until then the one before goes on, or the filler that
// stands in for it, so that an output never sees two publishers mixed nor the time between them. Owned by the
// daemon's per-shard registry; lives on one shard, as do its outputs.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "media/audio_wait.hpp"
#include "media/continuity.hpp"
#include "media/lane.hpp"
#include "media/meter.hpp"
#include "media/output.hpp"
#include "media/packet.hpp"
#include "media/repackager.hpp"
#include "media/timeline.hpp"
#include "media/trail.hpp"

namespace simulcast::media {

class Stream final : private AudioWaiter {
 public:
  // Without a factory only outputs of the publisher's own form get anything; without an AudioWait nothing
  // waits. `flv_given` hears of the batches of the FLV lane.
  explicit Stream(RepackagerFactory make_repackager = {}, AudioWait* audio_wait = nullptr,
                  BatchGiven* flv_given = nullptr, const ContinuityFactory& make_continuity = {});
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // The packets of a new publisher follow. `trail`: what the stream has come through, this input included.
  void begin_publisher(PacketForm form = PacketForm::flv, Trail trail = {});
  // For those that it is sent to.
  const Trail& trail() const { return trail_; }
  // Nothing more comes of the publisher, with or without a goodbye: what is whole of what it sent last goes
  // out.
  void end_publisher();

  // The publisher has gone, or has fallen silent: fill() is called every kFillPeriod from now on, until
  // filling() says that a publisher's run has begun.
  static constexpr std::chrono::milliseconds kFillPeriod{40};
  void begin_filling();
  void fill(Timeline::Clock::time_point now = Timeline::Clock::now());
  bool filling() const { return filling_; }
  // The silent publisher is heard again: it goes on where it was if nothing had to be filled, else from its
  // next keyframe.
  void resume_publisher();

  // A datagram as it came, before it is published: see Continuity::join().
  void join(std::span<std::byte> datagram, Timeline::Clock::time_point arrival);

  void publish(Packet packet, Timeline::Clock::time_point arrival = Timeline::Clock::now());
  // Call once after everything that came with one read was published. A video frame is written at once; audio
  // and data may wait for it (AudioWait).
  void flush();
  // The same, and nothing waits any longer.
  void flush_now();

  void attach(Output& output, PacketForm form = PacketForm::flv);
  void detach(const Output& output);

  // What publishers send; call once a second.
  Meter::Report report() { return meter_.report(); }
  std::uint64_t clock_jumps() const { return timeline_.jumps(); }
  // The headers and the GOP of the publisher whose run it is, in its form.
  PacketForm form() const { return form_; }
  const Lane& publisher_lane() const { return lanes_[static_cast<std::size_t>(form_)]; }
  // How many publishers' runs have begun.
  std::uint64_t runs() const { return runs_; }

  // What audio of this stream may wait by, also before it gets here. Null: nothing waits.
  AudioWait* audio_wait() const { return audio_wait_; }

 private:
  class Converter;

  struct Run {  // of a publisher whose first keyframe has not come yet
    PacketForm form;
    bool resumed;  // begins with the headers of the run before
    Lane lane;
  };

  void give(Packet&& packet);
  void start_run();
  Lane& lane(PacketForm form) { return lanes_[static_cast<std::size_t>(form)]; }
  PacketForm other_form() const { return form_ == PacketForm::flv ? PacketForm::mpegts : PacketForm::flv; }
  void flush(Lane& lane);
  void end_wait();
  void audio_wait_over() override;
  void start_converter();
  void stop_converter();

  const RepackagerFactory make_repackager_;
  AudioWait* const audio_wait_;        // null: nothing waits
  PacketForm form_ = PacketForm::flv;  // the publisher's
  std::array<Lane, 2> lanes_;
  std::optional<Run> next_;                       // takes over as soon as it can
  const std::unique_ptr<Continuity> continuity_;  // null: nothing is filled
  Trail trail_;                                   // of the last publisher
  bool filling_ = false;
  bool filled_ = false;                   // something was made since filling began
  std::vector<Packet> headers_before_;    // filling
  std::vector<Packet> filler_;            // kept for its capacity
  std::unique_ptr<Converter> converter_;  // while the other form is wanted
  Timeline timeline_;                     // of the FLV lane
  Timeline::Clock::time_point epoch_;     // the zero of the datagrams' times
  Timeline::Clock::time_point arrival_;   // of the packet that is being published
  bool waiting_ = false;                  // for a video frame
  Meter meter_;
  std::uint64_t runs_ = 0;
};

}  // namespace simulcast::media
