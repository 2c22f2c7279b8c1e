#include "inspect/platform_rules.hpp"

#include <gtest/gtest.h>

#include <string>

namespace simulcast::inspect {
namespace {

using namespace std::chrono_literals;
using media::Warning;

constexpr std::uint64_t kMbit = 1'000'000;

PlatformRules built_in() {
  return PlatformRules(config::load_platforms_text(config::kBuiltInPlatforms, "platforms.yaml"));
}

std::string platform_of(std::string_view url) {
  static const PlatformRules rules = built_in();
  const auto* platform = rules.match(url);
  return platform != nullptr ? platform->name : "";
}

TEST(PlatformOfUrl, IsToldByItsHost) {
  EXPECT_EQ(platform_of("rtmp://a.rtmp.youtube.com/live2"), "YouTube");
  EXPECT_EQ(platform_of("rtmps://b.rtmps.youtube.com:443/live2?backup=1"), "YouTube");
  EXPECT_EQ(platform_of("RTMPS://A.RTMPS.YouTube.Com./live2"), "YouTube");
  EXPECT_EQ(platform_of("rtmp://live-fra.twitch.tv/app"), "Twitch");
  EXPECT_EQ(platform_of("rtmps://live-api-s.facebook.com:443/rtmp/"), "Facebook");
  EXPECT_EQ(platform_of("rtmp://va.pscp.tv:80/x"), "X");
  EXPECT_EQ(platform_of("rtmps://live.cloudflare.com:443/live/"), "Cloudflare Stream");
  EXPECT_EQ(platform_of("srt://live.cloudflare.com:778?streamid=a&passphrase=b"), "Cloudflare Stream");
  EXPECT_EQ(platform_of("rtmps://global-live.mux.com:443/app"), "Mux");
  EXPECT_EQ(platform_of("rtmp://rtmp-global.cloud.vimeo.com/live"), "Vimeo");
}

TEST(PlatformOfUrl, IsThatOfTheMostExactPattern) {
  EXPECT_EQ(platform_of("rtmps://fra02.contribute.live-video.net/app"), "Twitch");
  EXPECT_EQ(platform_of("rtmps://ingest.global-contribute.live-video.net/app"), "Twitch");
  EXPECT_EQ(platform_of("rtmps://fa723fc1b171.global-contribute.live-video.net/app"), "Kick");
  EXPECT_EQ(platform_of("rtmps://0123456789ab.global-contribute.live-video.net/app"), "Amazon IVS");
}

TEST(PlatformOfUrl, IsNoneForAHostThatOnlyLooksLikeOne) {
  EXPECT_EQ(platform_of("rtmp://youtube.com.example.org/live2"), "");
  EXPECT_EQ(platform_of("rtmp://example.org/a.rtmp.youtube.com/x"), "");
  EXPECT_EQ(platform_of("rtmp://example.org/app?x=://a.rtmp.youtube.com/"), "");
  EXPECT_EQ(platform_of("rtmp://notfacebook.com/app"), "");
  EXPECT_EQ(platform_of("rtmp://[2001:db8::1]:1935/app"), "");
  EXPECT_EQ(platform_of("rtmp://127.0.0.1:1935/app"), "");
  EXPECT_EQ(platform_of(""), "");
}

class RulesTest : public testing::Test {
 protected:
  // A platform with these rules, in the form of platforms.yaml; SOURCE stands for that of a rule.
  void rules(std::string yaml) {
    const std::string mark = "SOURCE";
    for (std::size_t at = 0; (at = yaml.find(mark, at)) != std::string::npos;)
      yaml.replace(at, mark.size(), "source: 'https://example.com/'");
    const auto platforms = config::load_platforms_text(
        "platforms: [{name: Platform, hosts: [live.example.com], rules: {" + yaml + "}}]", "f");
    platform_ = platforms.at(0);
  }
  std::vector<Warning> check() const { return inspect::check(platform_, protocol_, &stats_); }
  // Of the one rule that is broken; empty when none is.
  std::string message() const {
    const auto warnings = check();
    EXPECT_LE(warnings.size(), 1u);
    return warnings.empty() ? "" : warnings.front().message;
  }
  std::string rule() const {
    const auto warnings = check();
    return warnings.empty() ? "" : warnings.front().rule;
  }
  media::VideoTrack& video() { return *stats_.video; }
  media::AudioTrack& audio() { return *stats_.audio; }

  static media::InputStats good() {
    media::InputStats stats;
    stats.sending = 60s;
    stats.mean_bitrate = 5 * kMbit;
    stats.video = media::VideoTrack{.codec = "h264",
                                    .profile = "High",
                                    .level = "4.1",
                                    .width = 1280,
                                    .height = 720,
                                    .fps = 30,
                                    .keyframe_interval = 2s,
                                    .since_keyframe = 1s,
                                    .b_frames = false,
                                    .bitrate = 4 * kMbit,
                                    .mean_bitrate = 4 * kMbit};
    stats.audio = media::AudioTrack{.codec = "aac",
                                    .profile = "LC",
                                    .sample_rate = 48000,
                                    .channels = 2,
                                    .bitrate = 128'000,
                                    .mean_bitrate = 128'000};
    return stats;
  }

  config::Platform platform_;
  std::string protocol_ = "rtmp";
  media::InputStats stats_ = good();
};

TEST_F(RulesTest, Protocol) {
  rules("protocol: {allowed: [rtmps], SOURCE}");
  EXPECT_EQ(rule(), "protocol");
  EXPECT_EQ(
      message(),
      "the URL begins with rtmp://, Platform wants rtmps://: give this output the address that begins so");
  EXPECT_EQ(inspect::check(platform_, "srt", nullptr).size(), 1u) << "needs nothing to come in";
  protocol_ = "rtmps";
  EXPECT_EQ(message(), "");
}

TEST_F(RulesTest, VideoCodec) {
  rules("video_codec: {allowed: [h264], SOURCE}");
  EXPECT_EQ(message(), "");
  video().codec = "hevc";
  EXPECT_EQ(rule(), "video_codec");
  EXPECT_EQ(message(), "video codec H.265 (HEVC), Platform wants H.264: set the video encoder to H.264");
  rules("video_codec: {allowed: [h264, hevc], SOURCE}");
  EXPECT_EQ(message(), "");
  video().codec = "av1";
  EXPECT_NE(message().find("wants H.264 or H.265 (HEVC)"), std::string::npos) << message();
}

TEST_F(RulesTest, KeyframeIntervalAtMost) {
  rules("keyframe_interval: {max: 4s, SOURCE}");
  video().keyframe_interval = 4s;
  EXPECT_EQ(message(), "");
  video().keyframe_interval = 4004ms;
  EXPECT_EQ(message(), "") << "30000/1001 frames a second";
  video().keyframe_interval = 8s;
  EXPECT_EQ(rule(), "keyframe_interval");
  EXPECT_EQ(
      message(),
      "keyframe interval 8 s, Platform wants at most 4 s: set the keyframe interval (GOP) of the encoder "
      "to 4 s");
}

TEST_F(RulesTest, KeyframesThatAreTimedByTheirArrivalMayComeAtOtherTimes) {
  rules("keyframe_interval: {min: 2s, max: 2s, SOURCE}");
  video().b_frames.reset();  // MPEG-TS
  for (const auto interval : {1500ms, 2000ms, 2500ms}) {
    video().keyframe_interval = interval;
    EXPECT_EQ(message(), "");
  }
  for (const auto interval : {1000ms, 3000ms}) {
    video().keyframe_interval = interval;
    EXPECT_EQ(rule(), "keyframe_interval");
  }
}

TEST_F(RulesTest, AGopThatDoesNotEndIsNotWaitedFor) {
  rules("keyframe_interval: {max: 4s, SOURCE}");
  video().keyframe_interval = 0s;  // the second keyframe has not come
  video().since_keyframe = 6120ms;
  EXPECT_EQ(message().substr(0, message().find(':')),
            "keyframe interval over 6.1 s, Platform wants at most 4 s");
  video().since_keyframe = 3s;
  EXPECT_EQ(message(), "");
}

TEST_F(RulesTest, KeyframeIntervalAtLeast) {
  rules("keyframe_interval: {min: 2s, max: 10s, SOURCE}");
  video().keyframe_interval = 1s;
  EXPECT_EQ(
      message(),
      "keyframe interval 1 s, Platform wants at least 2 s: set the keyframe interval (GOP) of the encoder "
      "to 2 s");
  video().keyframe_interval = 1950ms;
  EXPECT_EQ(message(), "");
  video().keyframe_interval = 0s;
  EXPECT_EQ(message(), "") << "not known yet";
}

TEST_F(RulesTest, VideoBitrate) {
  rules("video_bitrate: [{max: 6Mbit/s, SOURCE}]");
  video().mean_bitrate = 6'250'000;
  EXPECT_EQ(message(), "");
  video().mean_bitrate = 9'120'000;
  EXPECT_EQ(rule(), "video_bitrate");
  EXPECT_EQ(
      message(),
      "video bitrate 9.12 Mbit/s, Platform wants at most 6 Mbit/s: lower the video bitrate of the encoder");
  video().mean_bitrate = 4 * kMbit;
  video().bitrate = 20 * kMbit;  // for a second
  EXPECT_EQ(message(), "");
}

TEST_F(RulesTest, AdviceIsCalledSo) {
  rules("video_bitrate: [{max: 6Mbit/s, advice: true, SOURCE}]");
  video().mean_bitrate = 9 * kMbit;
  EXPECT_NE(message().find("Platform recommends at most 6 Mbit/s"), std::string::npos) << message();
}

// MPEG-TS: how much is video is not told apart.
TEST_F(RulesTest, VideoBitrateIsJudgedByTheWholeStreamWhereTracksAreNotToldApart) {
  rules("video_bitrate: [{max: 6Mbit/s, SOURCE}]");
  video().mean_bitrate = 0;
  stats_.mean_bitrate = 6'600'000;
  EXPECT_EQ(message(), "") << "sound and packaging are in it";
  stats_.mean_bitrate = 9 * kMbit;
  EXPECT_EQ(message(),
            "bitrate 9 Mbit/s, Platform wants at most 6 Mbit/s: lower the video bitrate of the encoder");
  stats_.mean_bitrate = 0;
  EXPECT_EQ(message(), "") << "not known yet";
}

TEST_F(RulesTest, VideoBitrateBySize) {
  rules(
      "video_bitrate: [{by_size: ["
      "{height: 720, fps: 30, max: 4Mbit/s}, {height: 720, fps: 60, max: 6Mbit/s}, "
      "{height: 1080, fps: 60, max: 9Mbit/s}], SOURCE}]");
  video().mean_bitrate = 5 * kMbit;
  EXPECT_NE(message().find("at most 4 Mbit/s for 720p at 30 frames a second"), std::string::npos)
      << message();
  video().fps = 59.94;
  EXPECT_EQ(message(), "");
  video().fps = 29.97;
  video().width = 720;  // held upright
  video().height = 1280;
  EXPECT_EQ(rule(), "video_bitrate");
  video().height = 1920;
  video().width = 1080;
  EXPECT_EQ(message(), "");
  video().width = video().height = 4096;  // beyond the table: its last row
  video().mean_bitrate = 10 * kMbit;
  EXPECT_NE(message().find("at most 9 Mbit/s"), std::string::npos) << message();
  video().height = 0;
  EXPECT_EQ(message(), "") << "not known";
}

TEST_F(RulesTest, VideoBitrateOfSomeCodecsOnly) {
  rules("video_bitrate: [{max: 8Mbit/s, codecs: [hevc, av1], SOURCE}, {max: 20Mbit/s, SOURCE}]");
  video().mean_bitrate = 10 * kMbit;
  EXPECT_EQ(message(), "");
  video().codec = "av1";
  EXPECT_EQ(rule(), "video_bitrate");
  video().mean_bitrate = 30 * kMbit;
  EXPECT_EQ(check().size(), 1u) << "once, though both rules are broken";
}

TEST_F(RulesTest, BFrames) {
  rules("b_frames: {forbidden: true, SOURCE}");
  EXPECT_EQ(message(), "");
  video().b_frames = true;
  EXPECT_EQ(rule(), "b_frames");
  EXPECT_EQ(message(), "B-frames, Platform wants none: set the number of B-frames of the encoder to 0");
  video().b_frames.reset();
  EXPECT_EQ(message(), "");
}

TEST_F(RulesTest, PictureSize) {
  rules("picture_size: {max: 1920x1080, SOURCE}");
  video().width = 1920;
  video().height = 1080;
  EXPECT_EQ(message(), "");
  std::swap(video().width, video().height);
  EXPECT_EQ(message(), "") << "held upright";
  video().width = 2560;
  video().height = 1440;
  EXPECT_EQ(rule(), "picture_size");
  EXPECT_EQ(
      message(),
      "picture 2560x1440, Platform wants at most 1920x1080: lower the output resolution of the encoder");
  video().width = 2560;
  video().height = 1080;
  EXPECT_EQ(rule(), "picture_size");
}

TEST_F(RulesTest, FramesASecond) {
  rules("fps: {max: 60, SOURCE}");
  video().fps = 60.3;
  EXPECT_EQ(message(), "");
  video().fps = 119.9;
  EXPECT_EQ(rule(), "fps");
  EXPECT_EQ(message(), "120 frames a second, Platform wants at most 60: lower the frame rate of the encoder");
}

TEST_F(RulesTest, AudioMustBeThereOnceEnoughHasCome) {
  rules("audio: {required: true, SOURCE}");
  EXPECT_EQ(message(), "");
  stats_.audio.reset();
  EXPECT_EQ(rule(), "audio");
  EXPECT_EQ(message(),
            "no sound, Platform wants an audio track: add one in the encoder, a silent one will do");
  stats_.sending = 9s;
  EXPECT_EQ(message(), "") << "it may still come";
  stats_.sending = 60s;
  stats_.video.reset();
  EXPECT_EQ(message(), "") << "nothing is known of either";
}

TEST_F(RulesTest, VideoMustBeThere) {
  rules("video: {required: true, SOURCE}");
  EXPECT_EQ(message(), "");
  stats_.video.reset();
  EXPECT_EQ(rule(), "video");
}

TEST_F(RulesTest, Audio) {
  rules(
      "audio_codec: {allowed: [aac], SOURCE}, audio_bitrate: {max: 256kbit/s, SOURCE}, "
      "audio_sample_rate: {allowed: [44100, 48000], SOURCE}, audio_channels: {max: 2, SOURCE}");
  EXPECT_EQ(message(), "");
  audio().codec = "mp3";
  EXPECT_EQ(message(), "audio codec MP3, Platform wants AAC: set the audio encoder to AAC");
  audio() = *good().audio;
  audio().mean_bitrate = 320'000;
  EXPECT_EQ(
      message(),
      "audio bitrate 320 kbit/s, Platform wants at most 256 kbit/s: lower the audio bitrate of the encoder");
  audio() = *good().audio;
  audio().sample_rate = 22050;
  EXPECT_EQ(message(),
            "audio sample rate 22.05 kHz, Platform wants 44.1 or 48 kHz: change the audio sample rate of the "
            "encoder");
  audio().sample_rate = 0;
  EXPECT_EQ(message(), "") << "not known";
  audio() = *good().audio;
  audio().channels = 6;
  EXPECT_EQ(message(), "6 audio channels, Platform wants at most 2: set the encoder to stereo");
}

TEST_F(RulesTest, BitrateOfEverything) {
  rules("bitrate: {min: 2Mbit/s, max: 14Mbit/s, SOURCE}");
  EXPECT_EQ(message(), "");
  stats_.mean_bitrate = 50 * kMbit;
  EXPECT_EQ(message(),
            "bitrate 50 Mbit/s, Platform wants at most 14 Mbit/s: lower the video bitrate of the encoder");
  stats_.mean_bitrate = 800'000;
  EXPECT_EQ(message(),
            "bitrate 800 kbit/s, Platform wants at least 2 Mbit/s: raise the video bitrate of the encoder");
  stats_.mean_bitrate = 0;
  EXPECT_EQ(message(), "") << "not known yet";
}

TEST_F(RulesTest, NothingIsBrokenWhileNothingIsKnown) {
  const PlatformRules all = built_in();
  const media::InputStats nothing;
  for (const auto* url : {"rtmps://a.rtmps.youtube.com/live2", "rtmp://live.twitch.tv/app",
                          "rtmps://live-api-s.facebook.com:443/rtmp", "rtmps://live.cloudflare.com/live",
                          "rtmps://fa723fc1b171.global-contribute.live-video.net/app"}) {
    EXPECT_TRUE(all.check(url, &nothing).empty()) << url;
    EXPECT_TRUE(all.check(url, nullptr).empty()) << url;
  }
  EXPECT_TRUE(all.check("rtmp://example.com/app", &nothing).empty());
}

TEST_F(RulesTest, AGoodStreamBreaksNoRuleOfTheUsualPlatforms) {
  const PlatformRules all = built_in();
  for (const auto* url : {"rtmps://a.rtmps.youtube.com/live2", "rtmp://live.twitch.tv/app",
                          "rtmps://live-api-s.facebook.com:443/rtmp", "rtmp://va.pscp.tv:80/x",
                          "rtmps://live.cloudflare.com/live", "rtmps://global-live.mux.com/app",
                          "rtmps://fa723fc1b171.global-contribute.live-video.net/app"}) {
    for (const auto& warning : all.check(url, &stats_)) ADD_FAILURE() << url << ": " << warning.message;
  }
}

}  // namespace
}  // namespace simulcast::inspect
