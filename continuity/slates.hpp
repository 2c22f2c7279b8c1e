// The slates that streams show, each made once, in a thread of its own, for a stream must not wait.
//
// One for the daemon, owned by it; any thread may ask.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "continuity/background.hpp"
#include "continuity/slate.hpp"

namespace simulcast::continuity {

class Slates {
 public:
  // More than this are not kept; files times formats.
  static constexpr std::size_t kMost = 64;
  // So many may wait to be made, as each takes its time.
  static constexpr std::size_t kMostWaiting = 8;

  // Null while it is being made, which this call begins unless too many wait, or if it cannot be made, which
  // is logged once: ask again as long as it matters.
  std::shared_ptr<const Slate> find(const std::filesystem::path& file, const SlateFormat& format);
  // To be made. For tests.
  std::size_t waiting();

 private:
  using Key = std::pair<std::filesystem::path, SlateFormat>;
  void make(const Key& key);

  std::mutex mutex_;
  std::size_t waiting_ = 0;                             // to be made, the one that is being made among them
  std::map<Key, std::shared_ptr<const Slate>> slates_;  // null: being made, or failed
  Background thread_;
};

// What one stream shows, if anything. Owned with the stream, on its shard.
struct SlateChoice {
  Slates* slates = nullptr;    // null: none
  std::filesystem::path file;  // empty: none

  std::shared_ptr<const Slate> find(const SlateFormat& format) const {
    return slates != nullptr && !file.empty() ? slates->find(file, format) : nullptr;
  }
};

}  // namespace simulcast::continuity
