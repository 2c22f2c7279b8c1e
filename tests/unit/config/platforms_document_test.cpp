// docs/platforms.md says what config/platforms.yaml says: the table in it is made here. To renew it:
//
//   SIMULCASTD_UPDATE_DOCS=1 build/release/unit_config --gtest_filter='PlatformsDocument.*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "config/platforms.hpp"

namespace simulcast::config {
namespace {

constexpr const char* kFile = SIMULCASTD_SOURCE_DIR "/docs/platforms.md";
const std::string kBegin = "<!-- made of config/platforms.yaml -->\n";
const std::string kEnd = "<!-- end -->\n";

std::string joined(const std::vector<std::string>& words, const char* between = ", ") {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string bitrate(std::uint64_t bits) {
  constexpr std::uint64_t kKilo = 1000;
  constexpr std::uint64_t kMega = 1'000'000;
  return bits % kMega == 0 ? std::to_string(bits / kMega) + " Mbit/s"
                           : std::to_string(bits / kKilo) + " kbit/s";
}
std::string value(std::uint64_t bits) {
  return bitrate(bits);
}
std::string value(unsigned number) {
  return std::to_string(number);
}
std::string value(PictureSize size) {
  return std::to_string(size.width) + " x " + std::to_string(size.height);
}
std::string value(std::chrono::milliseconds time) {
  return std::to_string(time.count() / 1000) + " s";
}

class Table {
 public:
  explicit Table(const Platform& platform) {
    text_ = "\n## " + platform.name + "\n\nHosts: `" + joined(platform.hosts, "`, `") +
            "`\n\n| rule | | source |\n| --- | --- | --- |\n";
    words("protocol", platform.protocol);
    if (platform.video) row("video", "must be there", platform.video->source);
    words("video_codec", platform.video_codec);
    for (const auto& rule : platform.video_bitrate) video_bitrate(rule);
    limit("keyframe_interval", platform.keyframe_interval);
    if (platform.b_frames) row("b_frames", "none", platform.b_frames->source);
    limit("picture_size", platform.picture_size);
    limit("fps", platform.fps);
    if (platform.audio) row("audio", "must be there", platform.audio->source);
    words("audio_codec", platform.audio_codec);
    limit("audio_bitrate", platform.audio_bitrate);
    if (const auto& rule = platform.audio_sample_rate) {
      std::vector<std::string> rates;
      for (const unsigned rate : rule->allowed) rates.push_back(std::to_string(rate));
      row("audio_sample_rate", joined(rates) + " Hz", rule->source);
    }
    limit("audio_channels", platform.audio_channels);
    limit("bitrate", platform.bitrate);
  }

  std::string text() const { return text_; }

 private:
  void row(const std::string& rule, const std::string& what, const RuleSource& source) {
    const auto host_begin = source.url.find("://") + 3;
    const std::string host = source.url.substr(host_begin, source.url.find('/', host_begin) - host_begin);
    text_ += "| `" + rule + "` | " + what + (source.advice ? " (recommended)" : "") + " | [" + host + "](" +
             source.url + ") |\n";
  }
  void words(const std::string& name, const std::optional<WordsRule>& rule) {
    if (rule) row(name, joined(rule->allowed), rule->source);
  }
  template <class T>
  void limit(const std::string& name, const std::optional<LimitRule<T>>& rule) {
    if (!rule) return;
    std::vector<std::string> bounds;
    if (rule->min) bounds.push_back("at least " + value(*rule->min));
    if (rule->max) bounds.push_back("at most " + value(*rule->max));
    row(name, joined(bounds), rule->source);
  }
  void video_bitrate(const VideoBitrateRule& rule) {
    std::vector<std::string> limits;
    if (rule.max) limits.push_back("at most " + bitrate(*rule.max));
    for (const auto& [height, fps, max] : rule.by_size) {
      limits.push_back(std::to_string(height) + "p" + std::to_string(fps) + " " + bitrate(max));
    }
    row("video_bitrate", (rule.codecs.empty() ? "" : joined(rule.codecs) + ": ") + joined(limits),
        rule.source);
  }

  std::string text_;
};

TEST(PlatformsDocument, HasTheRulesAsTheyAre) {
  std::string made;
  for (const auto& platform : load_platforms_text(kBuiltInPlatforms, "platforms.yaml"))
    made += Table(platform).text();

  std::ostringstream read;
  read << std::ifstream(kFile).rdbuf();
  std::string document = read.str();
  const auto begin = document.find(kBegin);
  const auto end = document.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const auto from = begin + kBegin.size();
  if (std::getenv("SIMULCASTD_UPDATE_DOCS") != nullptr) {
    std::ofstream(kFile) << document.replace(from, end - from, made + "\n");
    return;
  }
  EXPECT_EQ(document.substr(from, end - from), made + "\n") << "to renew it: see the top of this test";
}

}  // namespace
}  // namespace simulcast::config
