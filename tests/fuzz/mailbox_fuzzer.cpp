// What waits for a slow destination, whatever is pushed and taken: its bounds hold, its count of bytes is
// right, and of the headers that were let go the newest of each kind and track come out before the frames
// behind them.
#include "egress/mailbox.hpp"

#include <map>
#include <tuple>

#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;
using media::MediaKind;
using media::Packet;
using media::PacketRole;

namespace {

constexpr egress::Mailbox::Limits kLimits{std::chrono::seconds{2}, 40'000};

using Key = std::tuple<PacketRole, MediaKind, std::uint8_t>;

Key key_of(const Packet& packet) {
  return {packet.role, packet.kind, packet.track};
}

class Model {
 public:
  void push(Packet packet) {
    ++pushed_;
    packet.payload = media::Payload::copy_of(std::vector<std::byte>(packet.payload.size()));
    if (packet.role != PacketRole::frame) newest_[key_of(packet)] = packet.payload.data();
    mailbox_.push(packet);
    if (!starting_) check_bounds();
  }

  void begin_start() {
    starting_ = true;
    mailbox_.begin_start();
  }
  void end_start() {
    mailbox_.end_start();
    // The bound counts from what it was then.
    excused_bytes_ = mailbox_.bytes();
    excused_span_ = mailbox_.span();
    starting_ = false;
  }

  void pop() {
    if (mailbox_.empty()) return;
    const Packet& front = mailbox_.front();
    if (front.role != PacketRole::frame) {
      const auto newest = newest_.find(key_of(front));
      if (newest != newest_.end() && newest->second == front.payload.data()) newest_.erase(newest);
    }
    const std::size_t before = mailbox_.bytes();
    const std::size_t cost = front.payload.size() + egress::Mailbox::kOverhead;
    mailbox_.pop();
    fuzz::check(before - mailbox_.bytes() == cost);
    ++popped_;
  }

  void clear() {
    mailbox_.clear();
    newest_.clear();
    excused_bytes_ = 0;
    excused_span_ = {};
    fuzz::check(mailbox_.idle());
  }

  void drain() {
    while (!mailbox_.empty()) pop();
    fuzz::check(mailbox_.bytes() == 0 && mailbox_.size() == 0);
    fuzz::check(newest_.empty());
    fuzz::check(popped_ <= pushed_);
  }

 private:
  void check_bounds() const {
    fuzz::check(mailbox_.bytes() <= kLimits.bytes + excused_bytes_);
    fuzz::check(mailbox_.span() <= kLimits.duration + excused_span_);
  }

  egress::Mailbox mailbox_{kLimits};
  std::map<Key, const std::byte*> newest_;  // headers that must still come out
  bool starting_ = false;
  std::size_t excused_bytes_ = 0;
  media::Time excused_span_{};
  std::size_t pushed_ = 0;
  std::size_t popped_ = 0;
};

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  Model model;
  media::Time now{};
  // Two bytes a step: what, and how much.
  for (std::size_t at = 0; at + 2 <= size; at += 2) {
    const unsigned what = data[at];
    const unsigned amount = data[at + 1];
    switch (what & 7) {
      case 0:
        model.pop();
        continue;
      case 1:
        if (amount < 4) model.clear();
        if (amount == 4) model.begin_start();
        if (amount == 5) model.end_start();
        continue;
      default:
        break;
    }
    Packet packet;
    packet.kind = static_cast<MediaKind>((what >> 3) % 3);
    packet.role = (what & 7) < 6    ? PacketRole::frame
                  : (what & 7) == 6 ? PacketRole::codec_header
                                    : PacketRole::metadata;
    packet.keyframe = packet.role == PacketRole::frame && (what & 0x20) != 0;
    // Few tracks, so that their newest headers never fill the mailbox.
    packet.track = static_cast<std::uint8_t>(what >> 6);
    now += std::chrono::milliseconds{amount};
    packet.dts = packet.pts = now;
    const std::size_t bytes = packet.role == PacketRole::frame ? amount * 40 : amount;
    packet.payload = media::Payload::copy_of(std::vector<std::byte>(bytes));
    model.push(std::move(packet));
  }
  model.drain();
}
