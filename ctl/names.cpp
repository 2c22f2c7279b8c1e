#include "ctl/names.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json/object.hpp>
#include <vector>

#include "config/visible_text.hpp"
#include "ctl/errors.hpp"

namespace simulcast::ctl {

namespace json = boost::json;

namespace {

std::string find(const json::array& items, std::string_view wanted, std::string_view kind) {
  std::vector<const json::object*> named;
  std::vector<const json::object*> prefixed;
  for (const auto& item : items) {
    const auto& object = item.as_object();
    const std::string_view uid = object.at("uid").as_string();
    if (uid == wanted) return std::string(uid);
    if (name_of(object) == wanted) named.push_back(&object);
    if (wanted.size() >= kShortestPrefix && uid.starts_with(wanted)) prefixed.push_back(&object);
  }
  const auto& found = named.empty() ? prefixed : named;
  if (found.empty()) {
    throw CommandError(ExitCode::usage,
                       fmt::format("there is no {} \"{}\": give its name, its uid, or at least the first "
                                   "{} characters of that",
                                   kind, config::visible_text(wanted), kShortestPrefix));
  }
  if (found.size() > 1) {
    std::string sentence =
        fmt::format("several {}s fit \"{}\"; give the uid:", kind, config::visible_text(wanted));
    for (const json::object* object : found) {
      sentence += fmt::format("\n  {}  {}", std::string_view(object->at("uid").as_string()),
                              config::visible_text(name_of(*object)));
    }
    throw CommandError(ExitCode::usage, sentence);
  }
  return std::string(found.front()->at("uid").as_string());
}

}  // namespace

std::string name_of(const json::object& item) {
  const json::value* name = item.if_contains("name");
  if (const auto* meta = item.if_contains("meta"); meta != nullptr && meta->is_object()) {
    name = meta->get_object().if_contains("name");
  }
  return name != nullptr && name->is_string() ? std::string(name->get_string()) : std::string();
}

std::string find_input(ApiClient& api, std::string_view wanted) {
  const auto list = api.get("/live_inputs");
  return find(list.at("liveInputs").as_array(), wanted, "input");
}

std::string find_output(ApiClient& api, const std::string& input, std::string_view wanted) {
  const auto list = api.get("/live_inputs/" + input + "/outputs");
  return find(list.as_array(), wanted, "output");
}

}  // namespace simulcast::ctl
