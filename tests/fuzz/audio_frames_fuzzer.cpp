// The frames of ADTS and MPEG audio in PES packets, cut anywhere.
// Flags: 8 MPEG audio, 16 times that jump, 32 none after the first.
#include "protocol/mpegts/audio_frames.hpp"

#include "protocol/mpegts/adts.hpp"
#include "protocol/mpegts/mpeg_audio.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

struct Frames {
  std::size_t count = 0;
  std::size_t bytes = 0;
};

Frames take(fuzz::Input input, bool in_pieces) {
  const bool mpeg = (input.flags & 8) != 0;
  mpegts::AudioFrames frames(mpeg ? mpegts::mpeg_audio_frame : mpegts::adts_frame,
                             mpeg ? mpegts::MpegAudioHeader::kSize : mpegts::AdtsHeader::kSize);
  if (!in_pieces) input.flags |= 7;
  Frames all;
  media::Time time{0x1FFFFFFFF};  // the last tick of the 33-bit clock
  bool first = true;
  while (!input.bytes.empty()) {
    const auto pes = input.next();
    const bool timed = first || (input.flags & 32) == 0;
    const auto& found = frames.push(pes, timed ? std::optional(time) : std::nullopt);
    first = false;
    time =
        (input.flags & 16) != 0 ? media::Time{-3 * (time.count() % 0x1FFFFFFFF)} : time + media::Time{1920};
    for (const auto& frame : found) {
      fuzz::check(!frame.bytes.empty() && frame.bytes.size() <= mpegts::AudioFrames::kMaxFrame);
      if (mpeg) {
        const auto header = mpegts::parse_mpeg_audio(frame.bytes);
        fuzz::check(header && header->frame_size == frame.bytes.size() && header->sample_rate > 0);
      } else {
        const auto header = mpegts::parse_adts(frame.bytes);
        fuzz::check(header && header->frame_size == frame.bytes.size() && header->size < frame.bytes.size());
        fuzz::check(header->sample_rate() > 0 && header->audio_specific_config()[0] != std::byte{0});
      }
      ++all.count;
      all.bytes += frame.bytes.size();
    }
  }
  return all;
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  if ((input.flags & 16) != 0) input.flags &= static_cast<std::uint8_t>(~32U);
  const Frames whole = take(input, false);
  const Frames pieces = take(input, true);
  check(whole.bytes <= input.bytes.size() && pieces.bytes <= input.bytes.size());
}
