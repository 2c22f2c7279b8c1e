#include "config/platforms.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "config/read_text.hpp"
#include "config/section.hpp"
#include "config/values.hpp"
#include "config/yaml.hpp"

namespace simulcast::config {
namespace {

using namespace std::chrono_literals;

// The words that the daemon itself uses for what comes in.
std::string one_of(const std::string& text, const std::vector<std::string_view>& words) {
  if (std::ranges::find(words, text) == words.end()) throw_not_one_of(words);
  return text;
}

std::string parse_protocol(const std::string& text) {
  return one_of(text, {"rtmp", "rtmps", "srt"});
}

std::string parse_video_codec(const std::string& text) {
  return one_of(text, {"h264", "hevc", "av1", "vp9", "vp8", "vvc"});
}

std::string parse_audio_codec(const std::string& text) {
  return one_of(text, {"aac", "mp3", "opus", "flac", "ac3", "eac3"});
}

std::string parse_name(const std::string& text) {
  return text;
}

std::string parse_host(const std::string& text) {
  const bool good = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '*';
  });
  if (!good || std::ranges::all_of(text, [](char c) { return c == '*' || c == '.'; })) {
    throw BadValue(
        "is not a pattern of hosts; allowed: a host in lower case, * in it for any characters, such as "
        "*.rtmp.youtube.com");
  }
  return text;
}

std::string parse_source(const std::string& text) {
  if (!text.starts_with("https://") && !text.starts_with("http://"))
    throw BadValue("is not the address of a page; allowed: https://...");
  return text;
}

bool parse_must(const std::string& text) {
  if (text != "true") throw BadValue("makes no rule; allowed: true, or leave the rule out");
  return true;
}

// The number in front of one of the units; nothing when it is none.
std::optional<std::uint64_t> number_before(std::string_view text, std::string_view unit) {
  if (!text.ends_with(unit)) return std::nullopt;
  text.remove_suffix(unit.size());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint64_t parse_bitrate(const std::string& text) {
  constexpr std::uint64_t kKilo = 1000;
  constexpr std::uint64_t kMost = 10'000'000;  // kbit/s
  std::uint64_t kilobits = 0;
  if (const auto kilo = number_before(text, "kbit/s")) {
    kilobits = *kilo;
  } else if (const auto mega = number_before(text, "Mbit/s"); mega && *mega <= kMost) {
    kilobits = *mega * kKilo;
  }
  if (kilobits == 0 || kilobits > kMost)
    throw BadValue("is not a bitrate; allowed: a whole number with its unit, such as 8500kbit/s or 6Mbit/s");
  return kilobits * kKilo;
}

PictureSize parse_picture(const std::string& text) {
  constexpr std::uint64_t kLongestSide = 16384;
  try {
    const auto cross = text.find('x');
    if (cross == std::string::npos) throw BadValue("");
    return {static_cast<unsigned>(parse_number(text.substr(0, cross), 1, kLongestSide)),
            static_cast<unsigned>(parse_number(text.substr(cross + 1), 1, kLongestSide))};
  } catch (const BadValue&) {
    throw BadValue("is not the size of a picture; allowed: width and height, such as 1920x1080");
  }
}

std::chrono::milliseconds parse_interval(const std::string& text) {
  return parse_duration(text, 100ms, 10min);
}

unsigned parse_small(const std::string& text) {
  constexpr std::uint64_t kMost = 100'000;
  return static_cast<unsigned>(parse_number(text, 1, kMost));
}

template <class T, class Parse>
void read_list(const Place& list, std::vector<T>& target, Parse parse) {
  for (const Place& item : list.items()) item.read(target.emplace_back(), parse);
  if (target.empty()) list.problem("is empty; allowed: a list, such as [a, b]");
}

void read_source(Section& rule, RuleSource& source) {
  rule.require("source", source.url, parse_source);
  rule.read("advice", source.advice, parse_bool);
}

// `read` takes what is in the rule beside its source.
template <class Rule, class Read>
void read_rule(const Place& place, Rule& rule, Read read) {
  place.section([&](Section& section) {
    read_source(section, rule.source);
    read(section, rule);
  });
}

template <class Rule, class Read>
void read_rule(Section& rules, std::string_view key, std::optional<Rule>& target, Read read) {
  if (const auto place = rules.find(key)) read_rule(*place, target.emplace(), read);
}

template <class Parse>
void read_words(Section& rules, std::string_view key, std::optional<WordsRule>& target, Parse parse) {
  read_rule(rules, key, target, [&](Section& section, WordsRule& rule) {
    if (const auto list = section.need("allowed")) read_list(*list, rule.allowed, parse);
  });
}

template <class T, class Parse>
void read_limit(Section& rules, std::string_view key, std::optional<LimitRule<T>>& target, Parse parse) {
  read_rule(rules, key, target, [&](Section& section, LimitRule<T>& rule) {
    if (const auto min = section.find("min")) min->read(rule.min.emplace(), parse);
    if (const auto max = section.find("max")) {
      max->read(rule.max.emplace(), parse);
    } else if (!rule.min) {
      section.need("max");
    }
  });
}

template <class T, class Parse>
void read_max(Section& rules, std::string_view key, std::optional<LimitRule<T>>& target, Parse parse) {
  read_rule(rules, key, target,
            [&](Section& section, LimitRule<T>& rule) { section.require("max", rule.max.emplace(), parse); });
}

// `word`: required or forbidden.
void read_plain(Section& rules, std::string_view key, std::string_view word,
                std::optional<PlainRule>& target) {
  read_rule(rules, key, target, [&](Section& section, PlainRule&) {
    bool must = false;
    section.require(word, must, parse_must);
  });
}

void read_by_size(const Place& list, VideoBitrateRule& rule) {
  for (const Place& item : list.items()) {
    item.section([&](Section& row) {
      SizeLimit& limit = rule.by_size.emplace_back();
      row.require("height", limit.height, parse_small);
      row.require("fps", limit.fps, parse_small);
      row.require("max", limit.max, parse_bitrate);
    });
  }
  const auto order = [](const SizeLimit& limit) { return std::pair(limit.height, limit.fps); };
  if (!std::ranges::is_sorted(rule.by_size, {}, order))
    list.problem("is not in order; allowed: heights that rise, and frame rates that rise within a height");
}

void read_video_bitrate(const Place& list, std::vector<VideoBitrateRule>& rules) {
  for (const Place& item : list.items()) {
    read_rule(item, rules.emplace_back(), [&](Section& section, VideoBitrateRule& rule) {
      if (const auto codecs = section.find("codecs")) read_list(*codecs, rule.codecs, parse_video_codec);
      const auto by_size = section.find("by_size");
      if (by_size) read_by_size(*by_size, rule);
      if (const auto max = by_size ? section.find("max") : section.need("max")) {
        if (by_size) max->problem("goes without by_size; allowed: one of both");
        max->read(rule.max.emplace(), parse_bitrate);
      }
    });
  }
}

void read_rules(Section& rules, Platform& platform) {
  read_words(rules, "protocol", platform.protocol, parse_protocol);
  read_plain(rules, "video", "required", platform.video);
  read_words(rules, "video_codec", platform.video_codec, parse_video_codec);
  if (const auto list = rules.find("video_bitrate")) read_video_bitrate(*list, platform.video_bitrate);
  read_limit(rules, "keyframe_interval", platform.keyframe_interval, parse_interval);
  read_plain(rules, "b_frames", "forbidden", platform.b_frames);
  read_max(rules, "picture_size", platform.picture_size, parse_picture);
  read_max(rules, "fps", platform.fps, parse_small);
  read_plain(rules, "audio", "required", platform.audio);
  read_words(rules, "audio_codec", platform.audio_codec, parse_audio_codec);
  read_max(rules, "audio_bitrate", platform.audio_bitrate, parse_bitrate);
  read_rule(rules, "audio_sample_rate", platform.audio_sample_rate,
            [&](Section& section, SampleRateRule& rule) {
              if (const auto list = section.need("allowed")) read_list(*list, rule.allowed, parse_small);
            });
  read_max(rules, "audio_channels", platform.audio_channels, parse_small);
  read_limit(rules, "bitrate", platform.bitrate, parse_bitrate);
}

void read_platform(Section& section, Platform& platform) {
  section.require("name", platform.name, parse_name);
  if (const auto hosts = section.need("hosts")) read_list(*hosts, platform.hosts, parse_host);
  if (const auto rules = section.need("rules"))
    rules->section([&](Section& all) { read_rules(all, platform); });
}

}  // namespace

std::vector<Platform> load_platforms_text(const std::string& yaml, const std::string& name) {
  Problems problems;
  std::vector<Platform> platforms;
  try {
    const yaml::Node root = yaml::parse(yaml);
    Place(root, 1, "", problems).section([&](Section& top) {
      const auto list = top.need("platforms");
      if (!list) return;
      for (const Place& item : list->items())
        item.section([&](Section& section) { read_platform(section, platforms.emplace_back()); });
    });
  } catch (const yaml::ParseError& error) {
    problems.add(error.line(), "", error.what());
  }
  if (!problems.empty()) throw ConfigError(problems.text(name));
  return platforms;
}

std::vector<Platform> load_platforms(const std::filesystem::path& file) {
  if (!file.empty()) return load_platforms_text(read_text(file), file.string());
  const std::filesystem::path installed = SIMULCASTD_INSTALLED_PLATFORMS;
  std::error_code ignored;
  if (std::filesystem::exists(installed, ignored))
    return load_platforms_text(read_text(installed), installed.string());
  return load_platforms_text(kBuiltInPlatforms, "platforms.yaml");
}

}  // namespace simulcast::config
