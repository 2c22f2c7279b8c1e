// Where the daemon's API is and what to show it: from the command line, the environment, and else from the
// daemon's own configuration and state on this machine.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace simulcast::ctl {

// As given on the command line; empty: not given.
struct GivenSettings {
  std::string url;  // http://host:port, with or without /client/v4
  std::filesystem::path config_file;
  std::filesystem::path token_file;
  std::string account;
  std::filesystem::path ca_file;
  bool insecure = false;
};

struct ConnectionSettings {
  bool tls = false;
  std::string host;
  std::string port;
  std::string token;
  std::string account;
  std::filesystem::path ca_file;  // besides the system's authorities
  bool verify = true;
};

// Reads files and the environment (SIMULCASTD_TOKEN). Throws CommandError with what to do.
ConnectionSettings find_connection(const GivenSettings& given);

}  // namespace simulcast::ctl
