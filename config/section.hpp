// Walks the tree of a configuration: looks keys up, checks their shape, and finds the keys that mean nothing.
//
// A Place is one value and where it stands; a Section is one map, asked for every key it may have. Nothing
// here throws for a bad setting: it is noted in Problems, so that one run shows them all. These are
// short-lived helpers of load.cpp, on its stack; the tree and the Problems must outlive them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/values.hpp"
#include "config/yaml.hpp"

namespace simulcast::config {

class Problems {
 public:
  void add(int line, std::string_view path, std::string_view what);
  bool empty() const { return found_.empty(); }
  // Every problem as "NAME:LINE: path: what", one a line, in the order of the file.
  std::string text(const std::string& name) const;

 private:
  struct Problem {
    int line;
    std::string text;
  };
  std::vector<Problem> found_;
};

class Section;

class Place {
 public:
  Place(const yaml::Node& value, int line, std::string path, Problems& problems);

  // What stands here, also its keys, is never shown.
  Place secret() const;

  bool is_null() const { return value_->kind == yaml::Node::Kind::null; }
  bool is_map() const { return value_->kind == yaml::Node::Kind::map; }
  bool is_off() const { return value_->kind == yaml::Node::Kind::scalar && value_->text == "off"; }
  void problem(std::string_view what) const;

  // Sets `target` to what `parse` makes of the text here; leaves it alone after a problem.
  template <class T, class Parse>
  void read(T& target, Parse parse) const {
    const std::string* text = single_value();
    if (!text) return;
    try {
      target = parse(*text);
    } catch (const BadValue& bad) {
      bad_value(*text, bad.what());
    }
  }

  // The items of the list here; a problem when it is not a list.
  std::vector<Place> items() const;

  // Has `read` ask the map here for its keys, then reports those it did not ask for. Null is a map without
  // keys.
  template <class Read>
  void section(Read read) const;

 private:
  friend Section;

  const std::string* single_value() const;
  void bad_value(const std::string& text, std::string_view what) const;

  const yaml::Node* value_;
  int line_;
  std::string path_;
  Problems* problems_;
  bool secret_ = false;
};

class Section {
 public:
  explicit Section(const Place& place);

  std::optional<Place> find(std::string_view key);
  // The same; that it is not there is a problem.
  std::optional<Place> need(std::string_view key);

  template <class T, class Parse>
  void read(std::string_view key, T& target, Parse parse) {
    if (const auto place = find(key)) place->read(target, parse);
  }
  template <class T, class Parse>
  void require(std::string_view key, T& target, Parse parse) {
    if (const auto place = find(key))
      place->read(target, parse);
    else
      lacks(key);
  }
  // `read` is called only when the key is there.
  template <class Read>
  void section(std::string_view key, Read read) {
    if (const auto place = find(key)) place->section(read);
  }

  void report_unknown_keys() const;

 private:
  void report_repeated_keys() const;
  void lacks(std::string_view key) const;
  Place place_of(const yaml::Entry& entry) const;

  Place place_;
  std::vector<std::string_view> known_;  // the keys asked for
};

template <class Read>
void Place::section(Read read) const {
  if (!is_map() && !is_null()) {
    problem("has the wrong type; allowed: a map of keys with their values");
    return;
  }
  Section section(*this);
  read(section);
  section.report_unknown_keys();
}

}  // namespace simulcast::config
