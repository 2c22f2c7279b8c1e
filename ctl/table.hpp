// Texts for a terminal.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace simulcast::ctl {

// How many columns a text takes, one a character of UTF-8.
std::size_t width_of(std::string_view text);

// Cells come from elsewhere: what a terminal would obey is written out. All but the last of a row are cut,
// for the others are as wide as the widest, and a name may be as long as a request.
class Table {
 public:
  static constexpr std::size_t kMaxColumns = 256;

  explicit Table(std::vector<std::string> heads) { add(std::move(heads)); }
  void add(std::vector<std::string> row);
  // Aligned, two spaces between; the last column is not filled up.
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace simulcast::ctl
