#include "ctl/figures.hpp"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <ctime>

namespace simulcast::ctl {

namespace json = boost::json;

namespace {

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

double number_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

}  // namespace

std::string state_of_input(const json::object& input) {
  if (const auto* enabled = input.if_contains("enabled"); enabled != nullptr && !enabled->as_bool())
    return "disabled";
  const auto& status = input.at("status");
  if (!status.is_object()) return "never";
  const auto& current = status.at("current").as_object();
  if (text_of(current, "state") == "connected") return "connected";
  return text_of(current, "reason") == "reconnecting" ? "holding" : "disconnected";
}

std::string bitrate_of(const json::value& stats) {
  if (!stats.is_object()) return {};
  const double bits = number_of(stats.get_object(), "bitrate");
  constexpr double kMega = 1e6;
  constexpr double kKilo = 1e3;
  return bits >= kMega ? fmt::format("{:.1f} Mbit/s", bits / kMega)
                       : fmt::format("{:.0f} kbit/s", bits / kKilo);
}

std::string video_of(const json::value& stats) {
  if (!stats.is_object()) return {};
  const auto& object = stats.get_object();
  std::string words = text_of(object, "videoCodec");
  for (const char* more : {"videoProfile", "videoLevel"}) {
    if (const std::string text = text_of(object, more); !text.empty()) words += " " + text;
  }
  if (const double width = number_of(object, "width"); width > 0) {
    words += fmt::format(" {:.0f}x{:.0f}", width, number_of(object, "height"));
  }
  if (const double fps = number_of(object, "fps"); fps > 0) words += fmt::format(" {:.4g} fps", fps);
  if (const double interval = number_of(object, "keyframeIntervalMs"); interval > 0) {
    constexpr double kMilli = 1e3;
    words += fmt::format(", keyframe every {:.3g} s", interval / kMilli);
  }
  return words;
}

std::string audio_of(const json::value& stats) {
  if (!stats.is_object()) return {};
  const auto& object = stats.get_object();
  std::string words = text_of(object, "audioCodec");
  if (const std::string profile = text_of(object, "audioProfile"); !profile.empty()) words += " " + profile;
  if (const double rate = number_of(object, "audioSampleRate"); rate > 0)
    words += fmt::format(" {:.0f} Hz", rate);
  if (const double channels = number_of(object, "audioChannels"); channels > 0)
    words += fmt::format(" {:.0f} ch", channels);
  return words;
}

std::string clock_of(std::string_view timestamp) {
  std::tm utc{};
  if (::strptime(std::string(timestamp).c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr)
    return std::string(timestamp);
  return fmt::format("{:%H:%M:%S}", fmt::localtime(::timegm(&utc)));
}

std::string without_secrets(const std::string& url) {
  auto parsed = boost::urls::parse_uri(url);
  if (!parsed) return "***";
  boost::urls::url shown(*parsed);
  shown.remove_userinfo();
  for (auto parameter : shown.params()) static_cast<void>(parameter);
  if (shown.has_query()) shown.set_encoded_query("***");
  return std::string(shown.buffer());
}

}  // namespace simulcast::ctl
