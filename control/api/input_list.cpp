#include "control/api/input_list.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <iterator>

#include "control/api/representation.hpp"
#include "control/http/envelope.hpp"

namespace simulcast::control {

namespace {

constexpr std::string_view kNull = "null";

// The item with a status of null, without what follows that name.
std::string text_of(const LiveInput& input) {
  auto item = live_input_item_json(input, std::nullopt);
  item.erase("status");
  std::string text = boost::json::serialize(item);
  text.pop_back();
  return text + ",\"status\":";
}

}  // namespace

void InputList::changed(const std::string& uid) {
  if (!loaded_) return;
  stale_.push_back(uid);
  if (stale_.size() > kMaxStale) *this = InputList();
}

void InputList::load(Store& store, std::string_view account) {
  for (const LiveInput& input : store.inputs(account)) {
    position_.emplace(input.uid, items_.size());
    items_.push_back({input.uid, text_of(input)});
  }
  stale_.clear();
  loaded_ = true;
}

void InputList::refresh(Store& store, std::string_view account) {
  while (!stale_.empty()) {
    const std::string& uid = stale_.front();
    const auto input = store.input(account, uid);
    const auto found = position_.find(uid);
    if (input && found == position_.end()) {
      position_.emplace(uid, items_.size());
      items_.push_back({uid, text_of(*input)});
    } else if (input) {
      items_[found->second].text = text_of(*input);
    } else if (found != position_.end()) {
      items_[found->second].text.clear();
      position_.erase(found);
      ++deleted_;
    }
    stale_.pop_front();
  }
  if (deleted_ > items_.size() / 2) drop_deleted();
}

void InputList::drop_deleted() {
  std::erase_if(items_, [](const Item& item) { return item.text.empty(); });
  for (std::size_t i = 0; i < items_.size(); ++i) position_[items_[i].uid] = i;
  deleted_ = 0;
}

Text InputList::answer(Store& store, const Engine& engine, std::string_view account, Timestamp now) {
  const std::uint64_t changes = engine.input_changes();
  if (loaded_ && stale_.empty() && changes == input_changes_ && now >= last_made_ &&
      now < last_made_ + kShared) {
    if (auto last = last_.lock()) return last;
  }
  if (!loaded_) load(store, account);
  refresh(store, account);
  auto answer = std::make_shared<const std::string>(text(engine));
  last_ = answer;
  last_made_ = now;
  input_changes_ = changes;
  return answer;
}

std::string InputList::text(const Engine& engine) const {
  std::size_t size = 64 + kSuccessBegins.size() + kSuccessEnds.size();
  for (const Item& item : items_) size += item.text.size() + kNull.size() + 2;
  std::string text;
  text.reserve(size);
  text += kSuccessBegins;
  text += R"({"liveInputs":[)";
  bool first = true;
  for (const Item& item : items_) {
    if (item.text.empty()) continue;
    if (!first) text += ',';
    first = false;
    text += item.text;
    const auto report = engine.input_status(item.uid);
    text += report ? boost::json::serialize(status_json(report)) : kNull;
    text += '}';
  }
  fmt::format_to(std::back_inserter(text), R"(],"range":0,"total":{}}})", items_.size() - deleted_);
  text += kSuccessEnds;
  return text;
}

}  // namespace simulcast::control
