// A YAML document as a plain tree that remembers its lines: what the loader walks over.
//
// Unlike yaml-cpp's own nodes it keeps every key as written, duplicates too, and knows no aliases, so its
// size is bounded by the text. Plain values, owned by whoever holds them. parse() throws ParseError on
// anything that is not one YAML document.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace simulcast::config::yaml {

struct Entry;

struct Node {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  int line = 1;                // 1-based
  std::string text;            // of a scalar
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in the order of the text
};

struct Entry {
  std::string key;
  int line = 1;  // of the key
  Node value;
};

class ParseError : public std::runtime_error {
 public:
  ParseError(int line, const std::string& what) : std::runtime_error(what), line_(line) {}
  int line() const { return line_; }

 private:
  int line_;
};

// A text without a document (empty, or comments only) gives a null node.
Node parse(const std::string& text);

}  // namespace simulcast::config::yaml
