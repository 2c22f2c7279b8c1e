// Datagrams of an MPEG-TS publisher: tables, keyframes, counters.
#include "protocol/mpegts/scanner.hpp"
#include "protocol/mpegts/trail_packet.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/ts_input.hpp"

using namespace simulcast;

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto bytes = fuzz::with_checksums(input.bytes);
  input.bytes = bytes;
  mpegts::Scanner scanner;
  const std::size_t packets = (input.flags & 7) + 1;  // 8 is one too many
  while (!input.bytes.empty()) {
    const auto datagram = input.bytes.first(std::min(packets * mpegts::kPacketSize, input.bytes.size()));
    input.bytes = input.bytes.subspan(datagram.size());
    if (const auto trail = mpegts::read_trail_packet(datagram))
      fuzz::check(mpegts::read_trail_packet(mpegts::trail_packet(*trail)) == trail);
    const auto result = scanner.scan(datagram);
    fuzz::check(!result.malformed || (result.frames == 0 && !result.keyframe));
    fuzz::check(result.frames <= mpegts::kMaxDatagramPackets);
    fuzz::check(!result.keyframe || (result.frames > 0 && result.has_video));
    fuzz::check(!result.keyframe || result.sync_offset + mpegts::kPacketSize <= datagram.size());
    if (!result.keyframe) continue;
    const auto header = scanner.join_header();
    fuzz::check(!header.empty() && header.size() % mpegts::kPacketSize == 0);
    for (std::size_t at = 0; at < header.size(); at += mpegts::kPacketSize) {
      fuzz::check(header.bytes()[at] == mpegts::kSyncByte);
    }
  }
}
