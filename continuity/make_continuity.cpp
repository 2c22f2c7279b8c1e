#include "continuity/make_continuity.hpp"

#include <optional>

#include "continuity/flv_filler.hpp"
#include "continuity/ts_filler.hpp"
#include "continuity/ts_splice.hpp"

namespace simulcast::continuity {

namespace {

class Continuity final : public media::Continuity {
 public:
  Continuity(const SlateChoice& slate, Workshop& workshop) : slate_(slate), workshop_(workshop) {}

  void begin_publisher() override {
    if (splice_) splice_->begin_publisher();
  }

  void join(std::span<std::byte> datagram, Clock::time_point arrival) override {
    if (!splice_) splice_ = std::make_unique<TsSplice>();
    splice_->join(datagram, arrival);
  }

  void begin_filling(media::PacketForm form, const media::Lane& lane,
                     const media::Timeline& timeline) override {
    if (form == media::PacketForm::flv) {
      flv_.emplace(lane, timeline, slate_, workshop_);
    } else if (splice_) {
      splice_->interrupt();
      ts_.emplace(lane, *splice_, slate_, workshop_);
    }
  }

  void fill(Clock::time_point now, std::vector<media::Packet>& out) override {
    if (flv_) flv_->fill(now, out);
    if (ts_) ts_->fill(now, out);
  }

  void end_filling() override {
    flv_.reset();
    ts_.reset();
  }

 private:
  const SlateChoice& slate_;
  Workshop& workshop_;
  std::unique_ptr<TsSplice> splice_;  // once datagrams have come
  std::optional<FlvFiller> flv_;      // while filling
  std::optional<TsFiller> ts_;
};

}  // namespace

std::unique_ptr<media::Continuity> make_continuity(const SlateChoice& slate, Workshop& workshop) {
  return std::make_unique<Continuity>(slate, workshop);
}

}  // namespace simulcast::continuity
