// Reads simulcastd.yaml into a Config. Throws ConfigError with file, line, key and what is allowed; touches
// nothing but the file itself (that certificates exist and so on is checked where they are used).
//
// Relative paths count from the directory of the configuration file. Any thread.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include "config/config.hpp"

namespace simulcast::config {

// what() is ready to be shown: every problem found, one a line, in the order of the file:
// "simulcastd.yaml:12: egress.queue.seconds: ...". Never holds a token.
class ConfigError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

Config load_file(const std::filesystem::path& file);
// `name` stands in for the file name in messages.
Config load_text(const std::string& yaml, const std::string& name);

}  // namespace simulcast::config
