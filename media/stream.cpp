#include "media/stream.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace simulcast::media {

// Takes the publisher's lane as any output does, and fills the other lane.
class Stream::Converter final : public Output {
 public:
  Converter(Stream& stream, std::unique_ptr<Repackager> repackager, PacketForm to)
      : stream_(stream), repackager_(std::move(repackager)), to_(to) {}

  PacketForm to() const { return to_; }
  void begin_publisher() { repackager_->begin_publisher(); }
  void end_run() {
    repackager_->end_run(made_);
    pass_on();
    stream_.flush(stream_.lane(to_));
  }

  void take(const Batch& batch) override {
    for (const Packet& packet : batch.packets) repackager_->push(packet, made_);
    repackager_->flush(made_);
    pass_on();
    stream_.flush(stream_.lane(to_));
  }

 private:
  void pass_on() {
    Lane& lane = stream_.lane(to_);
    lane.set_left_out(repackager_->left_out());
    for (Packet& packet : made_) {
      if (to_ == PacketForm::flv && !stream_.timeline_.map(packet, stream_.arrival_)) continue;
      lane.publish(std::move(packet));
    }
    made_.clear();
  }

  Stream& stream_;
  const std::unique_ptr<Repackager> repackager_;
  const PacketForm to_;
  std::vector<Packet> made_;  // kept for its capacity
};

Stream::Stream(RepackagerFactory make_repackager, AudioWait* audio_wait, BatchGiven* flv_given,
               const ContinuityFactory& make_continuity)
    : make_repackager_(std::move(make_repackager)),
      audio_wait_(audio_wait != nullptr && audio_wait->longest().count() > 0 ? audio_wait : nullptr),
      continuity_(make_continuity ? make_continuity() : nullptr),
      epoch_(Timeline::Clock::now()),
      arrival_(epoch_) {
  lane(PacketForm::flv).set_batch_given(flv_given);
}

Stream::~Stream() {
  end_wait();
}

void Stream::end_publisher() {
  flush_now();
  if (converter_) converter_->end_run();
  flush_now();
}

void Stream::begin_publisher(PacketForm form, Trail trail) {
  trail_ = std::move(trail);
  begin_filling();  // one that is taken over is heard of no more either
  next_.emplace(Run{form, false, {}});
  meter_.begin_publisher();
  if (continuity_) continuity_->begin_publisher();
}

void Stream::begin_filling() {
  end_publisher();
  next_.reset();
  if (filling_ || !continuity_ || !lane(form_).ready()) return;
  filling_ = true;
  filled_ = false;
  headers_before_ = lane(form_).headers();
  continuity_->begin_filling(form_, lane(form_), timeline_);
}

void Stream::fill(Timeline::Clock::time_point now) {
  if (!filling_) return;
  continuity_->fill(now, filler_);
  if (filler_.empty()) return;
  filled_ = true;
  arrival_ = now;
  for (Packet& packet : filler_) {
    if (form_ == PacketForm::flv) {
      timeline_.note(packet, now);
    } else {
      packet.dts = packet.pts = std::chrono::duration_cast<Time>(now - epoch_);
    }
    lane(form_).publish(std::move(packet));
  }
  filler_.clear();
  flush_now();
}

void Stream::resume_publisher() {
  if (!filling_ || next_) return;
  if (filled_) {
    // Its headers are not sent again.
    next_.emplace(Run{form_, true, {}});
    for (const Packet& header : headers_before_) next_->lane.publish(header);
    if (continuity_) continuity_->begin_publisher();
  } else {
    filling_ = false;
    continuity_->end_filling();
  }
}

void Stream::join(std::span<std::byte> datagram, Timeline::Clock::time_point arrival) {
  if (continuity_) continuity_->join(datagram, arrival);
}

void Stream::publish(Packet packet, Timeline::Clock::time_point arrival) {
  arrival_ = arrival;
  if ((next_ ? next_->form : form_) == PacketForm::mpegts) {
    packet.dts = packet.pts = std::chrono::duration_cast<Time>(arrival - epoch_);
  }
  meter_.note(packet);
  if (!next_) return give(std::move(packet));
  next_->lane.publish(std::move(packet));
  next_->lane.flush();  // to nobody
  if (next_->lane.ready()) start_run();
}

// To the lane of the publisher's form, in the time of the stream.
void Stream::give(Packet&& packet) {
  if (form_ == PacketForm::flv && !timeline_.map(packet, arrival_)) return;
  lane(form_).publish(std::move(packet));
}

void Stream::start_run() {
  const Run run = *std::exchange(next_, std::nullopt);
  ++runs_;
  if (std::exchange(filling_, false)) continuity_->end_filling();
  if (run.form != form_) {
    // The outputs stay where they are; it is the conversion that turns round.
    stop_converter();
    form_ = run.form;
  }
  const Packet& first = run.lane.gop().front();
  if (form_ == PacketForm::flv) {
    timeline_.begin_publisher(first, arrival_);
  } else {
    timeline_.begin_publisher();  // by what is made of it
  }
  for (Lane& lane : lanes_) lane.begin_publisher();
  if (converter_) {
    converter_->begin_publisher();
  } else if (lane(other_form()).has_outputs()) {
    start_converter();
  }
  for (Packet& header : run.lane.headers()) {
    if (run.resumed) header.dts = header.pts = first.dts;  // it has the time of the stream
    give(std::move(header));
  }
  for (const Packet& packet : run.lane.gop()) give(Packet(packet));
}

void Stream::flush() {
  flush(lane(form_));
}

// Only FLV waits: SRT sends each datagram by itself, so that there is nothing to share.
void Stream::flush(Lane& lane) {
  if (&lane != &this->lane(PacketForm::flv)) return lane.flush();
  if (audio_wait_ != nullptr && lane.may_wait()) {
    if (!waiting_) audio_wait_->begin(*this, arrival_);
    waiting_ = true;
    return;
  }
  end_wait();
  lane.flush();
}

void Stream::end_wait() {
  if (waiting_) audio_wait_->end(*this);
  waiting_ = false;
}

void Stream::audio_wait_over() {
  flush_now();
}

void Stream::flush_now() {
  end_wait();
  lane(form_).flush();
  lane(other_form()).flush();
}

void Stream::attach(Output& output, PacketForm form) {
  if (form != form_ && !converter_) start_converter();
  lane(form).attach(output);
}

void Stream::detach(const Output& output) {
  for (Lane& lane : lanes_) {
    if (lane.detach(output)) break;
  }
  if (converter_ && !lane(other_form()).has_outputs()) stop_converter();
}

void Stream::start_converter() {
  if (!make_repackager_) return;
  const PacketForm to = other_form();
  converter_ = std::make_unique<Converter>(*this, make_repackager_(form_, to), to);
  // Times taken out of MPEG-TS anew may be unwrapped from elsewhere than they were the last time.
  if (to == PacketForm::flv) timeline_.begin_publisher();
  lane(form_).attach(*converter_);
}

void Stream::stop_converter() {
  if (!converter_) return;
  lane(form_).detach(*converter_);
  lane(converter_->to()).begin_publisher();
  converter_.reset();
}

}  // namespace simulcast::media
