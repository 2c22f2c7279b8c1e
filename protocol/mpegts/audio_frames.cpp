#include "protocol/mpegts/audio_frames.hpp"

#include <algorithm>

namespace simulcast::mpegts {

const std::vector<AudioFrames::Frame>& AudioFrames::push(std::span<const std::byte> pes,
                                                         std::optional<media::Time> pts) {
  frames_.clear();
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(left_from_));
  const std::size_t carried = bytes_.size();
  bytes_.insert(bytes_.end(), pes.begin(), pes.end());

  std::size_t at = 0;
  while (bytes_.size() - at >= header_size_) {
    if (pts && at >= carried) {  // the frame the time in the PES header is meant for
      base_ = *pts;
      samples_ = 0;
      pts.reset();
    }
    const auto header = parser_(std::span<const std::byte>(bytes_).subspan(at));
    if (header && at + header->frame_size > bytes_.size()) break;
    if (!header || !is_plausible(at + header->frame_size)) {
      if (in_step_) ++broken_;
      in_step_ = false;
      ++at;
      continue;
    }
    in_step_ = true;
    add(at, *header);
    at += header->frame_size;
  }
  // The time is for a frame whose header is not complete yet, or for none.
  if (pts && at >= carried) {
    base_ = *pts;
    samples_ = 0;
  }
  left_from_ = at;
  return frames_;
}

void AudioFrames::end_run() {
  frames_.clear();
  bytes_.clear();
  left_from_ = 0;
  in_step_ = true;
}

// Whether a frame may begin at `at`, as far as there are bytes to tell.
bool AudioFrames::is_plausible(std::size_t at) const {
  const auto rest = std::span<const std::byte>(bytes_).subspan(at);
  if (rest.size() >= header_size_) return parser_(rest).has_value();
  constexpr std::byte kHighSync{0xE0};  // the eleven bits that both framings begin with
  if (!rest.empty() && rest[0] != std::byte{0xFF}) return false;
  return rest.size() < 2 || (rest[1] & kHighSync) == kHighSync;
}

void AudioFrames::add(std::size_t at, const AudioFrameHeader& header) {
  if (!base_) return;
  if (header.sample_rate != rate_) {  // begins to count anew, from the time reached
    *base_ += media::Time{static_cast<std::int64_t>(samples_ * 90'000 / rate_)};
    samples_ = 0;
    rate_ = header.sample_rate;
  }
  const media::Time time = *base_ + media::Time{static_cast<std::int64_t>(samples_ * 90'000 / rate_)};
  frames_.push_back({std::span<const std::byte>(bytes_).subspan(at, header.frame_size), time});
  samples_ += header.samples;
}

}  // namespace simulcast::mpegts
