// Why a command could not be carried out, with the exit code that says which kind it is.
#pragma once

#include <stdexcept>
#include <string>

namespace simulcast::ctl {

enum class ExitCode {
  good = 0,
  refused = 1,      // the API said no
  usage = 2,        // the command line makes no sense, or names what is not there
  unreachable = 3,  // no daemon, or not one that can be talked to
};

class CommandError : public std::runtime_error {
 public:
  CommandError(ExitCode code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

}  // namespace simulcast::ctl
