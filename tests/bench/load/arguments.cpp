#include "tests/bench/load/arguments.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace simulcast::load {

void fail(const std::string& what) {
  std::fprintf(stderr, "rtmp_load: %s\n", what.c_str());
  std::exit(1);
}

void fail_errno(const std::string& what) {
  fail(what + ": " + std::strerror(errno));
}

Arguments::Arguments(int argc, char** argv, const std::set<std::string>& values,
                     const std::set<std::string>& flags) {
  for (int i = 0; i < argc; ++i) {
    const std::string argument = argv[i];
    if (!argument.starts_with("--")) {
      plain_.push_back(argument);
      continue;
    }
    const std::string name = argument.substr(2);
    if (flags.contains(name)) {
      given_[name] = "";
    } else if (!values.contains(name)) {
      fail("unknown option " + argument);
    } else if (++i == argc) {
      fail(argument + " needs a value");
    } else {
      given_[name] = argv[i];
    }
  }
}

std::string Arguments::text(const std::string& name) const {
  const auto found = given_.find(name);
  if (found == given_.end()) fail("--" + name + " is missing");
  return found->second;
}

double Arguments::number(const std::string& name, double otherwise) const {
  const auto found = given_.find(name);
  if (found == given_.end()) return otherwise;
  char* end = nullptr;
  const double value = std::strtod(found->second.c_str(), &end);
  if (end == found->second.c_str() || *end != '\0') fail("--" + name + " needs a number");
  return value;
}

std::vector<std::string> Arguments::urls() const {
  if (!plain_.empty()) return plain_;
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.empty()) fail("no URL given");
  return lines;
}

}  // namespace simulcast::load
