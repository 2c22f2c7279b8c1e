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
  void end_publisher() {
    repackager_->end_publisher(made_);
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
      if (to_ == PacketForm::flv) stream_.timeline_.map(packet, stream_.arrival_);
      lane.publish(std::move(packet));
    }
    made_.clear();
  }

  Stream& stream_;
  const std::unique_ptr<Repackager> repackager_;
  const PacketForm to_;
  std::vector<Packet> made_;  // kept for its capacity
};

Stream::Stream(RepackagerFactory make_repackager, AudioWait* audio_wait, BatchGiven* flv_given)
    : make_repackager_(std::move(make_repackager)),
      audio_wait_(audio_wait != nullptr && audio_wait->longest().count() > 0 ? audio_wait : nullptr),
      epoch_(Timeline::Clock::now()),
      arrival_(epoch_) {
  lane(PacketForm::flv).set_batch_given(flv_given);
}

Stream::~Stream() {
  end_wait();
}

void Stream::end_publisher() {
  flush_now();
  if (converter_) converter_->end_publisher();
  flush_now();
}

void Stream::begin_publisher(PacketForm form) {
  flush_now();
  timeline_.begin_publisher();
  if (form != form_) {
    // The outputs stay where they are; it is the conversion that turns round.
    stop_converter();
    form_ = form;
  }
  for (Lane& lane : lanes_) lane.begin_publisher();
  if (converter_) {
    converter_->begin_publisher();
  } else if (lane(other_form()).has_outputs()) {
    start_converter();
  }
}

void Stream::publish(Packet packet, Timeline::Clock::time_point arrival) {
  arrival_ = arrival;
  if (form_ == PacketForm::flv) {
    timeline_.map(packet, arrival);
  } else {
    packet.dts = packet.pts = std::chrono::duration_cast<Time>(arrival - epoch_);
  }
  ++packets_;
  bytes_ += packet.payload.size();
  lane(form_).publish(std::move(packet));
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

Stream::Counters Stream::counters() const {
  return {packets_, bytes_, timeline_.jumps()};
}

}  // namespace simulcast::media
