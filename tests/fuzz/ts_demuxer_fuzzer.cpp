// The demuxer with whatever streams a program has, not only those that become FLV: two at a time, for each
// may hold a PES packet of kMaxPes. Flags: 8 takes the first two that the program names, else picture and
// sound; 16 ends and begins again in the middle; 32 takes others after each PES packet.
#include "protocol/mpegts/demuxer.hpp"

#include <vector>

extern "C" {
#include <libavutil/log.h>
}

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/ts_input.hpp"

using namespace simulcast;

namespace {

class Taker final : public mpegts::Demuxer::Handler {
 public:
  explicit Taker(std::uint8_t flags) : flags_(flags) {}

  void on_program(const mpegts::Program& program) override {
    pids_.clear();
    for (const auto& stream : program.streams) {
      if ((flags_ & 8) != 0 || &stream == program.video() || &stream == program.audio()) {
        pids_.push_back(stream.pid);
      }
    }
    demuxer->select(taken());
  }

  void on_pes(const mpegts::Pes& pes) override {
    fuzz::check(pes.bytes.size() <= mpegts::kMaxPes);
    fuzz::check(std::ranges::find(taken(), pes.pid) != taken().end());
    for (std::size_t i = 0; i < 64; ++i) fuzz::check(pes.bytes.data()[pes.bytes.size() + i] == std::byte{0});
    if ((flags_ & 32) != 0 && !pids_.empty()) {
      std::rotate(pids_.begin(), pids_.begin() + 1, pids_.end());
      demuxer->select(taken());
    }
  }

  mpegts::Demuxer* demuxer = nullptr;

 private:
  std::span<const std::uint16_t> taken() const {
    return std::span(pids_).first(std::min<std::size_t>(2, pids_.size()));
  }

  std::uint8_t flags_;
  std::vector<std::uint16_t> pids_;
};

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  av_log_set_level(AV_LOG_QUIET);
  Input input(data, size);
  const auto bytes = with_checksums(input.bytes);
  Taker taker(input.flags);
  mpegts::Demuxer demuxer(taker);
  taker.demuxer = &demuxer;
  const std::size_t packets = (input.flags & 7) + 1;
  const std::size_t half = bytes.size() / 2;
  bool ended = false;
  for (std::span<const std::byte> rest = bytes; rest.size() >= mpegts::kPacketSize;) {
    const std::size_t count = std::min(packets, rest.size() / mpegts::kPacketSize);
    const bool after_hole = (input.flags & 64) != 0 && rest.size() % 5 == 0;
    demuxer.push(rest.first(count * mpegts::kPacketSize), after_hole);
    rest = rest.subspan(count * mpegts::kPacketSize);
    if ((input.flags & 16) != 0 && !ended && rest.size() <= half) {
      demuxer.finish();
      ended = true;
    }
  }
  demuxer.finish();
  (void)demuxer.malformed();
}
