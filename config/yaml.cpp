#include "config/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <memory>
#include <sstream>
#include <utility>

namespace simulcast::config::yaml {
namespace {

int line_of(const YAML::Mark& mark) {
  return mark.line + 1;
}

Node make_node(Node::Kind kind, const YAML::Mark& mark) {
  Node node;
  node.kind = kind;
  node.line = line_of(mark);
  return node;
}

// Builds the tree from the parser's events. `open_` is the path of lists and maps from the root to where we
// are.
class TreeBuilder final : public YAML::EventHandler {
 public:
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(make_node(Node::Kind::null, mark)); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw ParseError(line_of(mark),
                     "an alias (*name) cannot be used here; put a value that begins with * in quotes");
  }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string& text) override {
    Node scalar = make_node(Node::Kind::scalar, mark);
    scalar.text = text;
    add(std::move(scalar));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(make_node(Node::Kind::list, mark));
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(make_node(Node::Kind::map, mark));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    bool key_read = false;  // in a map: the next node is the value of the last entry
  };

  void add(Node value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Level& level = open_.back();
    if (level.node.kind == Node::Kind::list) {
      level.node.items.push_back(std::move(value));
    } else if (level.key_read) {
      level.node.entries.back().value = std::move(value);
      level.key_read = false;
    } else {
      if (value.kind != Node::Kind::scalar) throw ParseError(value.line, "a key must be a word");
      level.node.entries.push_back({std::move(value.text), value.line, {}});
      level.key_read = true;
    }
  }

  void open(Node value) { open_.push_back({std::move(value)}); }

  void close() {
    Node value = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(value));
  }

  Node root_;
  std::vector<Level> open_;
};

}  // namespace

Node parse(const std::string& text) {
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    TreeBuilder first;
    parser.HandleNextDocument(first);
    TreeBuilder second;
    if (parser.HandleNextDocument(second))
      throw ParseError(second.take().line, "a second document begins here; the file must be one document");
    return first.take();
  } catch (const YAML::Exception& error) {
    // yaml-cpp names an undefined anchor after a colon; an unquoted token may look like one.
    const std::string reason = error.msg.substr(0, error.msg.find(':'));
    throw ParseError(line_of(error.mark), "this is not YAML: " + reason);
  }
}

}  // namespace simulcast::config::yaml
