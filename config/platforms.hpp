// What streaming platforms are known to want of a stream: platforms.yaml as plain values.
//
// Read once at start, then only read; see platforms.yaml in this folder for what each rule means. Bitrates
// are in bit/s. What a platform does not document has no rule. Loading throws ConfigError with file, line,
// key and what is allowed, as a configuration does. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/load.hpp"

namespace simulcast::config {

// What a rule rests on.
struct RuleSource {
  std::string url;
  bool advice = false;  // recommended by the platform rather than asked for
};

struct WordsRule {
  RuleSource source;
  std::vector<std::string> allowed;
};

// One of both is there at least.
template <class T>
struct LimitRule {
  RuleSource source;
  std::optional<T> min;
  std::optional<T> max;
};

// For pictures up to this height (the shorter side) and frame rate.
struct SizeLimit {
  unsigned height = 0;
  unsigned fps = 0;
  std::uint64_t max = 0;
};

// Either `max`, or limits that depend on the picture.
struct VideoBitrateRule {
  RuleSource source;
  std::vector<std::string> codecs;  // that it is about; empty: all
  std::optional<std::uint64_t> max;
  std::vector<SizeLimit> by_size;  // in rising order
};

struct PictureSize {
  unsigned width = 0;
  unsigned height = 0;
};

struct SampleRateRule {
  RuleSource source;
  std::vector<unsigned> allowed;  // Hz
};

// Of something that must be there, or must not.
struct PlainRule {
  RuleSource source;
};

struct Platform {
  std::string name;
  std::vector<std::string> hosts;  // lower case; * stands for any characters

  std::optional<WordsRule> protocol;  // "rtmp", "rtmps", "srt"
  std::optional<PlainRule> video;     // must be there
  std::optional<WordsRule> video_codec;
  std::vector<VideoBitrateRule> video_bitrate;
  std::optional<LimitRule<std::chrono::milliseconds>> keyframe_interval;
  std::optional<PlainRule> b_frames;  // must not be there
  std::optional<LimitRule<PictureSize>> picture_size;
  std::optional<LimitRule<unsigned>> fps;
  std::optional<PlainRule> audio;  // must be there
  std::optional<WordsRule> audio_codec;
  std::optional<LimitRule<std::uint64_t>> audio_bitrate;
  std::optional<SampleRateRule> audio_sample_rate;
  std::optional<LimitRule<unsigned>> audio_channels;
  std::optional<LimitRule<std::uint64_t>> bitrate;  // of everything together
};

// `file` if one is named; else the one that came with the installation, or without that the copy built in.
std::vector<Platform> load_platforms(const std::filesystem::path& file);
// `name` stands in for the file name in messages.
std::vector<Platform> load_platforms_text(const std::string& yaml, const std::string& name);

// The text of platforms.yaml as it was when this was built.
extern const char* const kBuiltInPlatforms;

}  // namespace simulcast::config
