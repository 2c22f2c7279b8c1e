#include "inspect/platform_rules.hpp"

#include <fnmatch.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

namespace simulcast::inspect {

using config::Platform;
using media::Warning;
using std::chrono::milliseconds;

namespace {

// How far beyond a limit a measured value may be. Keyframes of 30000/1001 frames a second come every 2.002 s.
// Of a stream by SRT frames are timed by their arrival, and only the sum of all tracks is known, with sound
// and packaging in it.
constexpr double kRateTolerance = 1.05;
constexpr double kWholeStreamTolerance = 1.15;
constexpr double kIntervalTolerance = 1.1;
constexpr milliseconds kArrivalTolerance{500};
constexpr double kFpsTolerance = 1.05;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string scheme_of(std::string_view url) {
  return lower(url.substr(0, url.find("://")));
}

std::string host_of(std::string_view url) {
  const auto begin = url.find("://");
  if (begin == std::string_view::npos) return {};
  std::string_view authority = url.substr(begin + 3);
  authority = authority.substr(0, authority.find_first_of("/?"));
  if (authority.starts_with('[')) return lower(authority.substr(0, authority.find(']') + 1));
  std::string_view host = authority.substr(0, authority.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return lower(host);
}

// The most exact pattern has the most characters that are no wildcard; a host without any goes first.
std::size_t exactness(const std::string& pattern) {
  const auto wildcards = static_cast<std::size_t>(std::ranges::count(pattern, '*'));
  return 2 * (pattern.size() - wildcards) + (wildcards == 0 ? 1 : 0);
}

// With as many decimals as say something, so many at most: 4, 8.5.
std::string number(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string seconds(milliseconds time) {
  constexpr double kMilli = 1000;
  return fmt::format("{} s", number(static_cast<double>(time.count()) / kMilli, 1));
}

std::string bitrate(std::uint64_t bits) {
  constexpr double kKilo = 1e3;
  constexpr double kMega = 1e6;
  const auto value = static_cast<double>(bits);
  return value < kMega ? fmt::format("{:.0f} kbit/s", value / kKilo)
                       : fmt::format("{} Mbit/s", number(value / kMega, 2));
}

std::string kilohertz(unsigned hertz) {
  constexpr double kKilo = 1000;
  return fmt::format("{:g}", hertz / kKilo);
}

// As encoders call it.
std::string codec_name(const std::string& codec) {
  static const std::vector<std::pair<std::string_view, std::string_view>> names = {
      {"h264", "H.264"},      {"hevc", "H.265 (HEVC)"}, {"av1", "AV1"},    {"vp9", "VP9"}, {"vp8", "VP8"},
      {"vvc", "H.266 (VVC)"}, {"aac", "AAC"},           {"mp3", "MP3"},    {"mp2", "MP2"}, {"opus", "Opus"},
      {"flac", "FLAC"},       {"ac3", "AC-3"},          {"eac3", "E-AC-3"}};
  const auto name = std::ranges::find(names, codec, &std::pair<std::string_view, std::string_view>::first);
  return name == names.end() ? codec : std::string(name->second);
}

template <class Items, class Text>
std::string either(const Items& items, Text text) {
  std::string list;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) list += i + 1 == items.size() ? " or " : ", ";
    list += text(items[i]);
  }
  return list;
}

class Check {
 public:
  Check(const Platform& platform, std::string_view protocol, const media::InputStats* stats)
      : platform_(platform), protocol_(protocol), stats_(stats) {}

  std::vector<Warning> run() && {
    protocol();
    if (stats_ == nullptr) return std::move(warnings_);
    presence(platform_.video, "video", stats_->video.has_value(), stats_->audio.has_value(), "no picture",
             "a video track: check the video source and encoder");
    if (stats_->video) video(*stats_->video);
    presence(platform_.audio, "audio", stats_->audio.has_value(), stats_->video.has_value(), "no sound",
             "an audio track: add one in the encoder, a silent one will do");
    if (stats_->audio) audio(*stats_->audio);
    everything();
    return std::move(warnings_);
  }

 private:
  void warn(std::string_view rule, std::string message) {
    warnings_.push_back({std::string(rule), std::move(message)});
  }

  // "YouTube wants", or that it only recommends it.
  std::string wants(const config::RuleSource& source) const {
    return platform_.name + (source.advice ? " recommends" : " wants");
  }

  void protocol() {
    const auto& rule = platform_.protocol;
    if (!rule || std::ranges::find(rule->allowed, protocol_) != rule->allowed.end()) return;
    const auto address = [](const std::string& scheme) { return scheme + "://"; };
    const std::string wanted = either(rule->allowed, address);
    warn("protocol",
         fmt::format("the URL begins with {}://, {} {}: give this output the address that begins so",
                     protocol_, wants(rule->source), wanted));
  }

  // Once enough has been sent to tell that it does not come.
  void presence(const std::optional<config::PlainRule>& rule, std::string_view name, bool there,
                bool other_there, std::string_view measured, std::string_view wanted) {
    if (!rule || there || !other_there || stats_->sending < PlatformRules::kTrackMissing) return;
    warn(name, fmt::format("{}, {} {}", measured, wants(rule->source), wanted));
  }

  void codec(const std::optional<config::WordsRule>& rule, std::string_view name,
             const std::string& track_codec, std::string_view media) {
    if (!rule || track_codec.empty()) return;
    if (std::ranges::find(rule->allowed, track_codec) != rule->allowed.end()) return;
    const std::string wanted = either(rule->allowed, codec_name);
    warn(name, fmt::format("{} codec {}, {} {}: set the {} encoder to {}", media, codec_name(track_codec),
                           wants(rule->source), wanted, media, codec_name(rule->allowed.front())));
  }

  void video(const media::VideoTrack& track) {
    codec(platform_.video_codec, "video_codec", track.codec, "video");
    for (const auto& rule : platform_.video_bitrate) {
      if (video_bitrate(rule, track)) break;
    }
    keyframe_interval(track);
    if (platform_.b_frames && track.b_frames.value_or(false)) {
      warn("b_frames", fmt::format("B-frames, {} none: set the number of B-frames of the encoder to 0",
                                   wants(platform_.b_frames->source)));
    }
    picture_size(track);
    const auto& fps = platform_.fps;
    if (fps && track.fps > *fps->max * kFpsTolerance) {
      warn("fps", fmt::format("{:.0f} frames a second, {} at most {}: lower the frame rate of the encoder",
                              track.fps, wants(fps->source), *fps->max));
    }
  }

  // The limit for a picture of this size; of one larger than any the last.
  static const config::SizeLimit* limit_for(const config::VideoBitrateRule& rule,
                                            const media::VideoTrack& track) {
    if (rule.by_size.empty() || track.height == 0 || track.fps <= 0) return nullptr;
    const unsigned height = std::min(track.width, track.height);
    const auto fits = [&](const config::SizeLimit& limit) {
      return height <= limit.height && track.fps <= limit.fps * kFpsTolerance;
    };
    const auto limit = std::ranges::find_if(rule.by_size, fits);
    return limit == rule.by_size.end() ? &rule.by_size.back() : &*limit;
  }

  bool video_bitrate(const config::VideoBitrateRule& rule, const media::VideoTrack& track) {
    if (!rule.codecs.empty() && std::ranges::find(rule.codecs, track.codec) == rule.codecs.end())
      return false;
    const config::SizeLimit* limit = limit_for(rule, track);
    if (!rule.max && limit == nullptr) return false;
    const std::uint64_t max = rule.max ? *rule.max : limit->max;
    const bool alone = track.mean_bitrate > 0;
    const std::uint64_t measured = alone ? track.mean_bitrate : stats_->mean_bitrate;
    const double tolerance = alone ? kRateTolerance : kWholeStreamTolerance;
    if (static_cast<double>(measured) <= static_cast<double>(max) * tolerance) return false;
    const std::string size =
        limit == nullptr ? "" : fmt::format(" for {}p at {} frames a second", limit->height, limit->fps);
    warn("video_bitrate", fmt::format("{} {}, {} at most {}{}: lower the video bitrate of the encoder",
                                      alone ? "video bitrate" : "bitrate", bitrate(measured),
                                      wants(rule.source), bitrate(max), size));
    return true;
  }

  void keyframe_interval(const media::VideoTrack& track) {
    const auto& rule = platform_.keyframe_interval;
    if (!rule) return;
    // One that never ends is not waited for.
    const bool still_coming = track.since_keyframe > track.keyframe_interval;
    const milliseconds longest = still_coming ? track.since_keyframe : track.keyframe_interval;
    const milliseconds slack = track.b_frames ? milliseconds::zero() : kArrivalTolerance;
    if (rule->max && longest > *rule->max * kIntervalTolerance + slack) {
      warn("keyframe_interval",
           fmt::format(
               "keyframe interval {}{}, {} at most {}: set the keyframe interval (GOP) of the encoder to {}",
               still_coming ? "over " : "", seconds(longest), wants(rule->source), seconds(*rule->max),
               seconds(*rule->max)));
    } else if (rule->min && track.keyframe_interval > milliseconds::zero() &&
               track.keyframe_interval * kIntervalTolerance + slack < *rule->min) {
      warn("keyframe_interval",
           fmt::format(
               "keyframe interval {}, {} at least {}: set the keyframe interval (GOP) of the encoder to {}",
               seconds(track.keyframe_interval), wants(rule->source), seconds(*rule->min),
               seconds(*rule->min)));
    }
  }

  void picture_size(const media::VideoTrack& track) {
    const auto& rule = platform_.picture_size;
    if (!rule) return;
    const auto [short_side, long_side] = std::minmax(track.width, track.height);
    const auto [short_max, long_max] = std::minmax(rule->max->width, rule->max->height);
    if (short_side <= short_max && long_side <= long_max) return;
    warn("picture_size",
         fmt::format("picture {}x{}, {} at most {}x{}: lower the output resolution of the encoder",
                     track.width, track.height, wants(rule->source), rule->max->width, rule->max->height));
  }

  void audio(const media::AudioTrack& track) {
    codec(platform_.audio_codec, "audio_codec", track.codec, "audio");
    const auto& rate = platform_.audio_bitrate;
    if (rate && static_cast<double>(track.mean_bitrate) > static_cast<double>(*rate->max) * kRateTolerance) {
      warn("audio_bitrate",
           fmt::format("audio bitrate {}, {} at most {}: lower the audio bitrate of the encoder",
                       bitrate(track.mean_bitrate), wants(rate->source), bitrate(*rate->max)));
    }
    const auto& sampling = platform_.audio_sample_rate;
    if (sampling && track.sample_rate > 0 &&
        std::ranges::find(sampling->allowed, track.sample_rate) == sampling->allowed.end()) {
      warn("audio_sample_rate",
           fmt::format("audio sample rate {} kHz, {} {} kHz: change the audio sample rate of the encoder",
                       kilohertz(track.sample_rate), wants(sampling->source),
                       either(sampling->allowed, kilohertz)));
    }
    const auto& channels = platform_.audio_channels;
    if (channels && track.channels > *channels->max) {
      warn("audio_channels",
           fmt::format("{} audio channels, {} at most {}: set the encoder to {}", track.channels,
                       wants(channels->source), *channels->max, *channels->max == 1 ? "mono" : "stereo"));
    }
  }

  void everything() {
    const auto& rule = platform_.bitrate;
    if (!rule || stats_->mean_bitrate == 0) return;
    const auto measured = static_cast<double>(stats_->mean_bitrate);
    if (rule->max && measured > static_cast<double>(*rule->max) * kRateTolerance) {
      warn("bitrate", fmt::format("bitrate {}, {} at most {}: lower the video bitrate of the encoder",
                                  bitrate(stats_->mean_bitrate), wants(rule->source), bitrate(*rule->max)));
    } else if (rule->min && measured * kRateTolerance < static_cast<double>(*rule->min)) {
      warn("bitrate", fmt::format("bitrate {}, {} at least {}: raise the video bitrate of the encoder",
                                  bitrate(stats_->mean_bitrate), wants(rule->source), bitrate(*rule->min)));
    }
  }

  const Platform& platform_;
  std::string_view protocol_;
  const media::InputStats* stats_;
  std::vector<Warning> warnings_;
};

}  // namespace

const Platform* PlatformRules::match(std::string_view url) const {
  const std::string host = host_of(url);
  const Platform* best = nullptr;
  std::size_t best_exactness = 0;
  for (const Platform& platform : platforms_) {
    for (const std::string& pattern : platform.hosts) {
      if (exactness(pattern) <= best_exactness || ::fnmatch(pattern.c_str(), host.c_str(), 0) != 0) continue;
      best = &platform;
      best_exactness = exactness(pattern);
    }
  }
  return best;
}

std::vector<Warning> PlatformRules::check(std::string_view url, const media::InputStats* stats) const {
  const Platform* platform = match(url);
  if (platform == nullptr) return {};
  return inspect::check(*platform, scheme_of(url), stats);
}

std::vector<Warning> check(const Platform& platform, std::string_view protocol,
                           const media::InputStats* stats) {
  return Check(platform, protocol, stats).run();
}

}  // namespace simulcast::inspect
