#include "continuity/slates.hpp"

#include <spdlog/spdlog.h>

namespace simulcast::continuity {

std::shared_ptr<const Slate> Slates::find(const std::filesystem::path& file, const SlateFormat& format) {
  const std::lock_guard lock(mutex_);
  Key key(file, format);
  if (const auto known = slates_.find(key); known != slates_.end()) return known->second;
  if (waiting_ >= kMostWaiting) return nullptr;
  if (slates_.size() >= kMost) slates_.clear();
  slates_.emplace(key, nullptr);
  ++waiting_;
  thread_.post([this, key = std::move(key)] { make(key); });
  return nullptr;
}

std::size_t Slates::waiting() {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

void Slates::make(const Key& key) {
  const auto& [file, format] = key;
  auto made = make_slate(file, format);
  if (const auto* problem = std::get_if<std::string>(&made)) {
    spdlog::warn("the slate cannot be shown, the last keyframe is instead file={} size={}x{} cause=\"{}\"",
                 file.string(), format.width, format.height, *problem);
  }
  const std::lock_guard lock(mutex_);
  --waiting_;
  if (auto* slate = std::get_if<Slate>(&made)) {
    slates_[key] = std::make_shared<const Slate>(std::move(*slate));
  }
}

}  // namespace simulcast::continuity
