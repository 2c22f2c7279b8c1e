#include "ctl/live_view.hpp"

#include <vector>

#include "ctl/answer_json.hpp"

namespace simulcast::ctl {

namespace json = boost::json;

namespace {

json::object* output_of(LiveView::Record& record, const json::value& uid) {
  for (auto& output : record.outputs) {
    if (output.at("uid") == uid) return &output.as_object();
  }
  return nullptr;
}

// Times of the API have one form, so that their order is that of their letters.
bool is_older(const json::value& status, const json::value& than, std::string_view since) {
  return than.is_object() && status.at(since).as_string() < than.at(since).as_string();
}

}  // namespace

void LiveView::begin() {
  std::vector<std::string> uids;
  for (const auto& [uid, record] : records_) uids.push_back(uid);
  if (uids.empty() && !wanted_.empty()) uids.push_back(wanted_);
  for (const std::string& uid : uids) fetch(uid);
}

void LiveView::fetch(const std::string& uid) {
  if (auto record = fetch_(uid)) {
    records_[uid] = std::move(*record);
  } else {
    records_.erase(uid);
  }
}

void LiveView::apply(std::string_view event, std::string_view data) {
  const json::value parsed = parse_answer(data);
  const json::object& object = parsed.as_object();
  if (event == "stats") return take_stats(object);
  if (event != "input" && event != "output" && event != "changed") return;  // of a newer daemon

  const std::string uid(object.at("input").as_string());
  const auto known = records_.find(uid);
  if (event == "changed") {
    if (known != records_.end() || uid == wanted_) fetch(uid);
    return;
  }
  if (known == records_.end()) return fetch(uid);
  Record& record = known->second;
  const json::value& status = object.at("status");
  if (event == "input") {
    json::value& current = record.input["status"];
    if (!current.is_object()) current = json::object{{"current", nullptr}};
    json::value& shown = current.as_object()["current"];
    if (!is_older(status, shown, "statusEnteredAt")) shown = status;
  } else if (json::object* output = output_of(record, object.at("output"))) {
    if (!is_older(status, output->at("status"), "since")) (*output)["status"] = status;
  } else {
    fetch(uid);
  }
}

void LiveView::take_stats(const json::object& data) {
  // What is not live is not named.
  for (auto& [uid, record] : records_) record.input["stats"] = nullptr;
  for (const auto& item : data.at("inputs").as_array()) {
    const auto known = records_.find(std::string(item.at("input").as_string()));
    if (known == records_.end()) continue;
    known->second.input["stats"] = item.at("stats");
    for (const auto& measured : item.at("outputs").as_array()) {
      json::object* output = output_of(known->second, measured.at("output"));
      if (output != nullptr) (*output)["stats"] = measured.at("stats");
    }
  }
}

}  // namespace simulcast::ctl
