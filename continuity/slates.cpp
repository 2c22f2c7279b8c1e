#include "continuity/slates.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

namespace simulcast::continuity {

Slates::~Slates() {
  if (worker_) worker_->join();
}

std::shared_ptr<const Slate> Slates::find(const std::filesystem::path& file, const SlateFormat& format) {
  const std::lock_guard lock(mutex_);
  Key key(file, format);
  if (const auto known = slates_.find(key); known != slates_.end()) return known->second;
  if (slates_.size() >= kMost) slates_.clear();
  slates_.emplace(key, nullptr);
  if (!worker_) worker_.emplace(1);
  boost::asio::post(*worker_, [this, key = std::move(key)] { make(key); });
  return nullptr;
}

void Slates::make(const Key& key) {
  const auto& [file, format] = key;
  auto made = make_slate(file, format);
  if (const auto* problem = std::get_if<std::string>(&made)) {
    spdlog::warn("the slate cannot be shown, the last keyframe is instead file={} size={}x{} cause=\"{}\"",
                 file.string(), format.width, format.height, *problem);
    return;
  }
  const std::lock_guard lock(mutex_);
  slates_[key] = std::make_shared<const Slate>(std::get<Slate>(std::move(made)));
}

}  // namespace simulcast::continuity
