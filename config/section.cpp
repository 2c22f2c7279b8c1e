#include "config/section.hpp"

#include <algorithm>
#include <numeric>

namespace simulcast::config {
namespace {

// Levenshtein: insertions, removals and replacements from one word to the other.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

// The known key that was probably meant; empty when none is near.
std::string_view nearest(std::string_view key, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, key.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    const std::size_t candidate_distance = distance(key, candidate);
    if (candidate_distance >= best_distance) continue;
    best = candidate;
    best_distance = candidate_distance;
  }
  return best;
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string list;
  for (const std::string_view word : words) list.append(list.empty() ? "" : ", ").append(word);
  return list;
}

// Fit for one line of a message: long texts are cut and control characters replaced.
std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string result(text.substr(0, kLongest));
  std::ranges::replace_if(
      result, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  if (text.size() > kLongest) result += "...";
  return result;
}

}  // namespace

void Problems::add(int line, std::string_view path, std::string_view what) {
  std::string text(path);
  if (!path.empty()) text += ": ";
  found_.push_back({line, text.append(what)});
}

std::string Problems::text(const std::string& name) const {
  auto sorted = found_;
  std::ranges::stable_sort(sorted, {}, &Problem::line);
  std::string lines;
  for (const Problem& problem : sorted) {
    if (!lines.empty()) lines += '\n';
    lines += name + ':' + std::to_string(problem.line) + ": " + problem.text;
  }
  return lines;
}

Place::Place(const yaml::Node& value, int line, std::string path, Problems& problems)
    : value_(&value), line_(line), path_(std::move(path)), problems_(&problems) {}

Place Place::secret() const {
  Place place = *this;
  place.secret_ = true;
  return place;
}

void Place::problem(std::string_view what) const {
  problems_->add(line_, path_, what);
}

std::vector<Place> Place::items() const {
  if (value_->kind != yaml::Node::Kind::list) {
    problem("has the wrong type; allowed: a list, such as [a, b]");
    return {};
  }
  std::vector<Place> places;
  for (const yaml::Node& item : value_->items) {
    Place place(item, item.line, path_ + '[' + std::to_string(places.size()) + ']', *problems_);
    places.push_back(secret_ ? place.secret() : place);
  }
  return places;
}

const std::string* Place::single_value() const {
  if (is_null() || (value_->kind == yaml::Node::Kind::scalar && value_->text.empty())) {
    problem("has no value; give one, or leave the key out for its default");
    return nullptr;
  }
  if (value_->kind != yaml::Node::Kind::scalar) {
    problem("has the wrong type; allowed: a single value");
    return nullptr;
  }
  return &value_->text;
}

void Place::bad_value(const std::string& text, std::string_view what) const {
  const std::string value = secret_ ? "the value" : '"' + shown(text) + '"';
  problem(value + ' ' + std::string(what));
}

Section::Section(const Place& place) : place_(place) {
  report_repeated_keys();
}

std::optional<Place> Section::find(std::string_view key) {
  known_.push_back(key);
  const auto entry = std::ranges::find(place_.value_->entries, key, &yaml::Entry::key);
  if (entry == place_.value_->entries.end()) return std::nullopt;
  return place_of(*entry);
}

std::optional<Place> Section::need(std::string_view key) {
  auto place = find(key);
  if (!place) lacks(key);
  return place;
}

void Section::report_unknown_keys() const {
  const auto& entries = place_.value_->entries;
  for (const yaml::Entry& entry : entries) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    if (place_.secret_) {
      place_.problems_->add(entry.line, place_.path_, "has an unknown key; allowed: " + joined(known_));
      continue;
    }
    const std::string_view meant = nearest(entry.key, known_);
    const std::string hint = meant.empty() ? "" : "did you mean " + std::string(meant) + "? ";
    place_of(entry).problem("unknown key; " + hint + "allowed: " + joined(known_));
  }
}

void Section::report_repeated_keys() const {
  const auto& entries = place_.value_->entries;
  for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
    const auto first = std::ranges::find(entries.begin(), entry, entry->key, &yaml::Entry::key);
    if (first == entry) continue;
    const std::string what = "is given twice, first on line " + std::to_string(first->line);
    if (place_.secret_)
      place_.problems_->add(entry->line, place_.path_, "has a key that " + what);
    else
      place_of(*entry).problem(what);
  }
}

void Section::lacks(std::string_view key) const {
  place_.problem("lacks " + std::string(key));
}

Place Section::place_of(const yaml::Entry& entry) const {
  std::string path = place_.path_.empty() ? shown(entry.key) : place_.path_ + '.' + shown(entry.key);
  Place place(entry.value, entry.line, std::move(path), *place_.problems_);
  return place_.secret_ ? place.secret() : place;
}

}  // namespace simulcast::config
