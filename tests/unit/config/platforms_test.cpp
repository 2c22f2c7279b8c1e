#include "config/platforms.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace simulcast::config {
namespace {

using namespace std::chrono_literals;

std::string text_of(const std::string& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string problems_of(const std::string& yaml) {
  try {
    load_platforms_text(yaml, "p.yaml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

// Of a rule of the only platform, which stands on line 1.
std::string problem_of_rule(const std::string& rule) {
  const std::string prefix = "p.yaml:1: platforms[0].rules.";
  const std::string text = problems_of("platforms: [{name: A, hosts: [a.b], rules: {" + rule + "}}]");
  EXPECT_EQ(text.substr(0, prefix.size()), prefix) << text;
  return text.substr(std::min(prefix.size(), text.size()));
}

TEST(Platforms, TheBuiltInCopyIsTheFile) {
  EXPECT_EQ(kBuiltInPlatforms, text_of(SIMULCASTD_SOURCE_DIR "/config/platforms.yaml"));
}

TEST(Platforms, TheFileKnowsThoseThatMatter) {
  std::set<std::string> names;
  for (const auto& platform : load_platforms_text(kBuiltInPlatforms, "platforms.yaml"))
    EXPECT_TRUE(names.insert(platform.name).second) << platform.name << " is there twice";
  for (const auto* name :
       {"YouTube", "Twitch", "Kick", "Facebook", "X", "LinkedIn", "Vimeo", "Cloudflare Stream", "Mux"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Platforms, EveryKindOfRuleIsRead) {
  const auto platforms = load_platforms_text(R"(
platforms:
  - name: A
    hosts: [a.example.com, "*.a.example.com"]
    rules:
      protocol: { allowed: [rtmps, srt], source: "https://a/1" }
      video: { required: true, source: "https://a/2" }
      video_codec: { allowed: [h264, av1], source: "https://a/3", advice: true }
      video_bitrate:
        - { max: 6Mbit/s, codecs: [h264], source: "https://a/4" }
        - { by_size: [{ height: 720, fps: 30, max: 2500kbit/s }], source: "https://a/5" }
      keyframe_interval: { min: 500ms, max: 4s, source: "https://a/6" }
      b_frames: { forbidden: true, source: "https://a/7" }
      picture_size: { max: 1920x1080, source: "https://a/8" }
      fps: { max: 60, source: "https://a/9" }
      audio: { required: true, source: "https://a/10" }
      audio_codec: { allowed: [aac], source: "https://a/11" }
      audio_bitrate: { max: 320kbit/s, source: "https://a/12" }
      audio_sample_rate: { allowed: [44100, 48000], source: "https://a/13" }
      audio_channels: { max: 2, source: "https://a/14" }
      bitrate: { min: 2Mbit/s, source: "https://a/15" }
)",
                                             "p.yaml");
  ASSERT_EQ(platforms.size(), 1u);
  const Platform& a = platforms[0];
  EXPECT_EQ(a.name, "A");
  EXPECT_EQ(a.hosts, (std::vector<std::string>{"a.example.com", "*.a.example.com"}));
  EXPECT_EQ(a.protocol->allowed, (std::vector<std::string>{"rtmps", "srt"}));
  EXPECT_EQ(a.protocol->source.url, "https://a/1");
  EXPECT_FALSE(a.protocol->source.advice);
  EXPECT_TRUE(a.video);
  EXPECT_EQ(a.video_codec->allowed, (std::vector<std::string>{"h264", "av1"}));
  EXPECT_TRUE(a.video_codec->source.advice);
  ASSERT_EQ(a.video_bitrate.size(), 2u);
  EXPECT_EQ(a.video_bitrate[0].max, 6'000'000u);
  EXPECT_EQ(a.video_bitrate[0].codecs, std::vector<std::string>{"h264"});
  EXPECT_FALSE(a.video_bitrate[1].max);
  ASSERT_EQ(a.video_bitrate[1].by_size.size(), 1u);
  EXPECT_EQ(a.video_bitrate[1].by_size[0].height, 720u);
  EXPECT_EQ(a.video_bitrate[1].by_size[0].fps, 30u);
  EXPECT_EQ(a.video_bitrate[1].by_size[0].max, 2'500'000u);
  EXPECT_EQ(a.keyframe_interval->min, 500ms);
  EXPECT_EQ(a.keyframe_interval->max, 4s);
  EXPECT_TRUE(a.b_frames);
  EXPECT_EQ(a.picture_size->max->width, 1920u);
  EXPECT_EQ(a.picture_size->max->height, 1080u);
  EXPECT_EQ(a.fps->max, 60u);
  EXPECT_TRUE(a.audio);
  EXPECT_EQ(a.audio_codec->allowed, std::vector<std::string>{"aac"});
  EXPECT_EQ(a.audio_bitrate->max, 320'000u);
  EXPECT_EQ(a.audio_sample_rate->allowed, (std::vector<unsigned>{44100, 48000}));
  EXPECT_EQ(a.audio_channels->max, 2u);
  EXPECT_EQ(a.bitrate->min, 2'000'000u);
  EXPECT_FALSE(a.bitrate->max);
  EXPECT_EQ(a.bitrate->source.url, "https://a/15");
}

TEST(Platforms, MistakesAreToldWithLineAndWhatIsAllowed) {
  EXPECT_EQ(problems_of("platforms:\n  - name: A\n    host: [a]\n    rules: {}\n"),
            "p.yaml:2: platforms[0]: lacks hosts\n"
            "p.yaml:3: platforms[0].host: unknown key; did you mean hosts? allowed: name, hosts, rules");
  EXPECT_EQ(problems_of("x: 1\n").find("p.yaml:1: "), 0u);
  EXPECT_NE(problems_of("platforms: {}\n").find("a list"), std::string::npos);
  EXPECT_NE(problems_of("platforms: [{name: A, hosts: ['*'], rules: {}}]").find("is not a pattern of hosts"),
            std::string::npos);
  EXPECT_NE(problems_of("platforms: [{name: A, hosts: [Live.A], rules: {}}]").find("lower case"),
            std::string::npos);
}

TEST(Platforms, NoRuleGoesWithoutItsSource) {
  EXPECT_EQ(problem_of_rule("fps: {max: 60}"), "fps: lacks source");
  EXPECT_EQ(problem_of_rule("fps: {max: 60, source: somebody}"),
            "fps.source: \"somebody\" is not the address of a page; allowed: https://...");
}

TEST(Platforms, MistakesInRules) {
  const auto bad = [](const std::string& rule, const std::string& part) {
    const std::string problem = problem_of_rule(rule);
    EXPECT_NE(problem.find(part), std::string::npos) << rule << " -> " << problem;
  };
  bad("fbs: {max: 60, source: 'https://a/'}", "did you mean fps?");
  bad("fps: {source: 'https://a/'}", "lacks max");
  bad("fps: {min: 1, max: 60, source: 'https://a/'}", "unknown key");
  bad("keyframe_interval: {source: 'https://a/'}", "lacks max");
  bad("keyframe_interval: {max: 4, source: 'https://a/'}", "lacks a unit");
  bad("video_codec: {allowed: [x264], source: 'https://a/'}", "allowed: h264, hevc");
  bad("video_codec: {allowed: [], source: 'https://a/'}", "is empty");
  bad("video_codec: {source: 'https://a/'}", "lacks allowed");
  bad("video_bitrate: [{max: 6M, source: 'https://a/'}]", "is not a bitrate");
  bad("video_bitrate: [{max: 0Mbit/s, source: 'https://a/'}]", "is not a bitrate");
  bad("video_bitrate: [{source: 'https://a/'}]", "lacks max");
  bad("video_bitrate: [{max: 1Mbit/s, by_size: [{height: 1, fps: 1, max: 1Mbit/s}], source: 'https://a/'}]",
      "goes without by_size");
  bad("video_bitrate: [{by_size: [{height: 2, fps: 1, max: 1Mbit/s}, {height: 1, fps: 1, max: 1Mbit/s}], "
      "source: 'https://a/'}]",
      "is not in order");
  bad("picture_size: {max: 1080p, source: 'https://a/'}", "is not the size of a picture");
  bad("audio: {required: false, source: 'https://a/'}", "makes no rule");
  bad("audio: {source: 'https://a/'}", "lacks required");
}

TEST(Platforms, AFileThatIsNamedMustBeThere) {
  try {
    load_platforms("/does/not/exist.yaml");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "/does/not/exist.yaml: cannot be read: No such file or directory");
  }
}

}  // namespace
}  // namespace simulcast::config
