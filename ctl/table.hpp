// Texts for a terminal.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace simulcast::ctl {

// Without what a terminal would obey: names and messages come from elsewhere.
std::string printable(std::string_view text);

// How many columns a text takes, one a character of UTF-8.
std::size_t width_of(std::string_view text);

class Table {
 public:
  explicit Table(std::vector<std::string> heads) : rows_{std::move(heads)} {}
  void add(std::vector<std::string> row);
  // Aligned, two spaces between; the last column is not filled up.
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace simulcast::ctl
