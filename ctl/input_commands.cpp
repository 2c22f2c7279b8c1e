#include <spdlog/fmt/fmt.h>

#include "ctl/answer_json.hpp"
#include "ctl/commands.hpp"
#include "ctl/figures.hpp"
#include "ctl/names.hpp"
#include "ctl/table.hpp"

namespace simulcast::ctl {

namespace json = boost::json;

namespace {

bool is_secret(std::string_view member) {
  return member == "streamKey" || member == "passphrase";
}

void mask(json::value& value) {
  if (auto* array = value.if_array()) {
    for (auto& item : *array) mask(item);
  } else if (auto* object = value.if_object()) {
    for (auto& member : *object) {
      if (is_secret(member.key()) && member.value().is_string()) {
        member.value() = "***";
      } else {
        mask(member.value());
      }
    }
  }
}

// A passphrase may stand in the address of an SRT output.
void mask_urls(json::value& value) {
  if (auto* array = value.if_array()) {
    for (auto& item : *array) mask_urls(item);
  } else if (auto* object = value.if_object()) {
    for (auto& member : *object) {
      if (member.key() == "url" && member.value().is_string()) {
        member.value() = without_secrets(std::string(member.value().get_string()));
      } else {
        mask_urls(member.value());
      }
    }
  }
}

}  // namespace

json::value presentable(json::value result, const Printing& printing) {
  if (printing.show_keys) return result;
  mask(result);
  mask_urls(result);
  return result;
}

void list_inputs(ApiClient& api, const Printing& printing) {
  const auto result = api.get("/live_inputs");
  if (printing.json) {
    printing.out << document_of(presentable(result, printing)) << '\n';
    return;
  }
  Table table({"NAME", "UID", "STATE", "BITRATE", "VIDEO", "AUDIO"});
  for (const auto& item : result.at("liveInputs").as_array()) {
    const auto& input = item.as_object();
    const std::string uid(input.at("uid").as_string());
    std::string state = state_of_input(input);
    // Only what is live has figures; the list does not have them.
    json::value stats;
    if (state == "connected" || state == "holding") stats = api.get("/live_inputs/" + uid).at("stats");
    table.add({name_of(input), uid, std::move(state), bitrate_of(stats), video_of(stats), audio_of(stats)});
  }
  table.print(printing.out);
}

void show_input(ApiClient& api, const Printing& printing, const std::string& input) {
  const auto result = presentable(api.get("/live_inputs/" + find_input(api, input)), printing);
  if (printing.json) {
    printing.out << document_of(result) << '\n';
    return;
  }
  const auto& object = result.as_object();
  Table table({name_of(object), std::string(object.at("uid").as_string())});
  table.add({"state", state_of_input(object)});
  const auto& stats = object.at("stats");
  if (stats.is_object()) {
    table.add({"bitrate", bitrate_of(stats)});
    table.add({"video", video_of(stats)});
    table.add({"audio", audio_of(stats)});
  }
  for (const char* protocol : {"rtmp", "rtmps", "srt"}) {
    const auto* address = object.if_contains(protocol);
    if (address == nullptr) continue;
    for (const auto& member : address->as_object()) {
      table.add({fmt::format("{} {}", protocol, std::string_view(member.key())),
                 std::string(member.value().as_string())});
    }
  }
  table.print(printing.out);
}

void add_input(ApiClient& api, const Printing& printing, const std::string& name) {
  const auto result = api.post("/live_inputs", {{"meta", {{"name", name}}}});
  if (printing.json) {
    printing.out << document_of(presentable(result, printing)) << '\n';
  } else {
    printing.out << std::string_view(result.at("uid").as_string()) << '\n';
  }
}

void remove_input(ApiClient& api, const std::string& input) {
  api.remove("/live_inputs/" + find_input(api, input));
}

}  // namespace simulcast::ctl
