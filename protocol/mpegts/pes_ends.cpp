#include "protocol/mpegts/pes_ends.hpp"

#include <algorithm>
#include <utility>

namespace simulcast::mpegts {

namespace {
constexpr std::uint16_t kFirstFreePid = 0x20;  // those below are of tables, which come anywhere
}  // namespace

void PesEnds::select(std::span<const std::uint16_t> pids) {
  std::vector<Watched> selected;
  for (const std::uint16_t pid : pids) {
    if (pid == kNullPid) continue;
    const auto known = std::ranges::find(watched_, pid, &Watched::pid);
    selected.push_back(known != watched_.end() ? *known : Watched{.pid = pid});
  }
  watched_ = std::move(selected);
}

void PesEnds::packet(std::span<const std::byte> bytes, const PacketView& view) {
  if (view.pid == kNullPid) return count(null_packet);
  if (view.pid < kFirstFreePid || !view.has_payload) return;
  for (Watched& watched : watched_) {
    if (watched.pid == view.pid) {
      packet_of(watched, bytes, view);
    } else {
      ++watched.behind[other_stream];
    }
  }
}

void PesEnds::packet_of(Watched& watched, std::span<const std::byte> bytes, const PacketView& view) {
  constexpr std::uint8_t kCounterMask = 0x0F;
  const auto before = std::exchange(watched.continuity, view.continuity);
  if (before == view.continuity && !view.discontinuity) return;  // sent twice
  const bool follows = !before || view.discontinuity || ((*before + 1) & kCounterMask) == view.continuity;
  if (view.unit_start) {
    watched.open = true;
  } else if (!follows) {
    watched.open = false;
  } else if (watched.open) {
    for (std::size_t sign = 0; sign < kSigns; ++sign) {
      watched.within[sign] = std::max(watched.within[sign], watched.behind[sign]);
    }
  }
  watched.behind = {};
  if (is_stuffed(bytes)) ++watched.behind[stuffing];
}

void PesEnds::datagram_ended(std::size_t size) {
  if (size < longest_datagram_) count(short_datagram);
  longest_datagram_ = std::max(longest_datagram_, size);
}

void PesEnds::hole() {
  for (Watched& watched : watched_) {
    watched.open = false;
    watched.continuity.reset();
  }
}

bool PesEnds::is_whole(std::uint16_t pid) const {
  const auto watched = std::ranges::find(watched_, pid, &Watched::pid);
  if (watched == watched_.end() || !watched->open) return false;
  for (std::size_t sign = 0; sign < kSigns; ++sign) {
    if (watched->behind[sign] > watched->within[sign]) return true;
  }
  return false;
}

void PesEnds::count(Sign sign) {
  for (Watched& watched : watched_) ++watched.behind[sign];
}

}  // namespace simulcast::mpegts
