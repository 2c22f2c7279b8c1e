#include <spdlog/fmt/fmt.h>

#include "config/visible_text.hpp"
#include "ctl/answer_json.hpp"
#include "ctl/commands.hpp"
#include "ctl/figures.hpp"
#include "ctl/names.hpp"
#include "ctl/table.hpp"

namespace simulcast::ctl {

namespace json = boost::json;

namespace {

std::string outputs_of(const std::string& input) {
  return "/live_inputs/" + input + "/outputs";
}

void print_output(const Printing& printing, const json::value& output) {
  if (printing.json) {
    printing.out << document_of(presentable(output, printing)) << '\n';
    return;
  }
  const auto& status = output.at("status");
  printing.out << fmt::format("{}  {}  {}\n", std::string_view(output.at("uid").as_string()),
                              std::string_view(status.at("state").as_string()),
                              config::visible_text(status.at("message").as_string()));
}

bool print_test(const Printing& printing, const json::value& test) {
  const bool good = test.at("ok").as_bool();
  if (printing.json) {
    printing.out << document_of(test) << '\n';
    return good;
  }
  Table table({"STEP", "RESULT", "MS", "CAUSE"});
  for (const auto& step : test.at("steps").as_array()) {
    table.add({std::string(step.at("step").as_string()), step.at("ok").as_bool() ? "good" : "FAILED",
               fmt::format("{:.1f}", step.at("ms").to_number<double>()),
               std::string(step.at("message").as_string())});
  }
  table.print(printing.out);
  printing.out << (good ? "" : "not good: ") << config::visible_text(test.at("message").as_string()) << '\n';
  return good;
}

}  // namespace

void list_outputs(ApiClient& api, const Printing& printing, const std::string& input) {
  const auto result = api.get(outputs_of(find_input(api, input)));
  if (printing.json) {
    printing.out << document_of(presentable(result, printing)) << '\n';
    return;
  }
  Table table({"NAME", "UID", "STATE", "SINCE", "URL", "BITRATE", "MESSAGE"});
  for (const auto& item : result.as_array()) {
    const auto& output = item.as_object();
    const auto& status = output.at("status");
    std::string message(status.at("message").as_string());
    for (const auto& warning : output.at("warnings").as_array()) {
      if (!message.empty()) message += "; ";
      message += warning.at("message").as_string();
    }
    const std::string url(output.at("url").as_string());
    table.add({name_of(output), std::string(output.at("uid").as_string()),
               std::string(status.at("state").as_string()), clock_of(status.at("since").as_string()),
               printing.show_keys ? url : without_secrets(url), bitrate_of(output.at("stats")),
               std::move(message)});
  }
  table.print(printing.out);
}

void add_output(ApiClient& api, const Printing& printing, const NewOutput& output) {
  json::object body{{"url", output.url}, {"streamKey", output.stream_key}, {"enabled", output.enabled}};
  if (!output.name.empty()) body["name"] = output.name;
  const auto result = api.post(outputs_of(find_input(api, output.input)), body);
  if (printing.json) {
    printing.out << document_of(presentable(result, printing)) << '\n';
  } else {
    printing.out << std::string_view(result.at("uid").as_string()) << '\n';
  }
}

void remove_output(ApiClient& api, const std::string& input, const std::string& output) {
  const std::string uid = find_input(api, input);
  api.remove(outputs_of(uid) + "/" + find_output(api, uid, output));
}

void set_output_enabled(ApiClient& api, const Printing& printing, const std::string& input,
                        const std::string& output, bool enabled) {
  const std::string uid = find_input(api, input);
  const auto result = api.put(outputs_of(uid) + "/" + find_output(api, uid, output), {{"enabled", enabled}});
  print_output(printing, result);
}

void retry_output(ApiClient& api, const Printing& printing, const std::string& input,
                  const std::string& output) {
  const std::string uid = find_input(api, input);
  print_output(printing, api.post(outputs_of(uid) + "/" + find_output(api, uid, output) + "/retry"));
}

bool test_output(ApiClient& api, const Printing& printing, const std::string& input,
                 const std::string& output) {
  const std::string uid = find_input(api, input);
  const auto record = api.get(outputs_of(uid) + "/" + find_output(api, uid, output));
  const json::value body{{"url", record.at("url")},
                         {"streamKey", record.at("streamKey")},
                         {"verifyTls", record.at("verifyTls")}};
  return print_test(printing, api.post(outputs_of(uid) + "/test", body));
}

bool test_destination(ApiClient& api, const Printing& printing, const NewOutput& destination) {
  const std::string uid = find_input(api, destination.input);
  const json::value body{{"url", destination.url}, {"streamKey", destination.stream_key}};
  return print_test(printing, api.post(outputs_of(uid) + "/test", body));
}

}  // namespace simulcast::ctl
