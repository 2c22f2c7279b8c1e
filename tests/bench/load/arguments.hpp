// The command line of rtmp_load: --name value, --flag, and what stands by itself.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace simulcast::load {

// Says on stderr what is wrong and exits 1.
[[noreturn]] void fail(const std::string& what);
// The same with the reason in errno.
[[noreturn]] void fail_errno(const std::string& what);

class Arguments {
 public:
  // `flags` take no value, `values` take one; anything else that begins with -- is refused.
  Arguments(int argc, char** argv, const std::set<std::string>& values, const std::set<std::string>& flags);

  bool has(const std::string& name) const { return given_.contains(name); }
  std::string text(const std::string& name) const;  // must have been given
  double number(const std::string& name, double otherwise) const;
  // What stands by itself; when there is none, the lines of stdin to its end.
  std::vector<std::string> urls() const;

 private:
  std::map<std::string, std::string> given_;
  std::vector<std::string> plain_;
};

}  // namespace simulcast::load
