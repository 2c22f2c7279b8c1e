#include "continuity/silences.hpp"

#include <algorithm>

namespace simulcast::continuity {

std::shared_ptr<const SilentFrame> Silences::of(const SoundFormat& format) {
  SoundFormat wanted = format;
  constexpr int kMain = 1;
  constexpr int kLowComplexity = 2;
  // What the encoder has: frames of the other object types are such of LC that use less.
  if (wanted.aac_object_type != kMain) wanted.aac_object_type = kLowComplexity;
  const auto found = std::ranges::find(known_, wanted, [](const auto& one) { return one.first; });
  if (found != known_.end()) return found->second;
  auto made = make_silence(wanted);
  if (!made) return nullptr;  // not remembered: of what cannot be made there is no end, and it fails at once
  if (known_.size() >= kMost) known_.pop_front();
  known_.emplace_back(wanted, std::make_shared<const SilentFrame>(*std::move(made)));
  return known_.back().second;
}

}  // namespace simulcast::continuity
