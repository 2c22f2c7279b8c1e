#include "ctl/connection_settings.hpp"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "config/load.hpp"
#include "config/state_files.hpp"
#include "config/values.hpp"
#include "config/visible_text.hpp"
#include "ctl/errors.hpp"

namespace simulcast::ctl {

namespace {

constexpr const char* kDefaultConfig = "/etc/simulcastd/simulcastd.yaml";

[[noreturn]] void fail(const std::string& sentence) {
  throw CommandError(ExitCode::usage, sentence);
}

// The first line that is no comment, or why there is none.
std::string first_line(const std::filesystem::path& file, const std::string& what,
                       const std::string& instead) {
  std::ifstream in(file);
  if (!in) {
    const bool forbidden = ::access(file.c_str(), R_OK) != 0 && errno == EACCES;
    fail(fmt::format("{} {} {}; {}", what, file.string(),
                     forbidden ? "may not be read by you: use sudo" : "cannot be read", instead));
  }
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty() && !line.starts_with('#')) return line;
  }
  fail(fmt::format("{} {} is empty; {}", what, file.string(), instead));
}

config::Config read_config(const std::filesystem::path& given) {
  std::filesystem::path file = given;
  if (file.empty() && std::filesystem::exists(kDefaultConfig)) file = kDefaultConfig;
  if (file.empty()) return {};
  try {
    return config::load_file(file);
  } catch (const std::exception& error) {
    fail(error.what());
  }
}

void take_url(const std::string& text, ConnectionSettings& settings) {
  const auto url = boost::urls::parse_uri(text);
  const bool good = url && (url->scheme() == "http" || url->scheme() == "https") && !url->host().empty();
  if (!good) fail("--url must be http://host:port or https://host:port");
  settings.tls = url->scheme() == "https";
  settings.host = url->host_address();
  settings.port = url->has_port() ? std::string(url->port()) : settings.tls ? "443" : "80";
}

// A listener on all addresses is reached on this machine's own.
std::string reachable(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "::1";
  return host;
}

std::string token_of(const config::Config& config) {
  const std::string instead = "give a token with --token-file or in SIMULCASTD_TOKEN";
  for (const auto& token : config.control.tokens) {
    if (!token.read_only) return token.secret;
  }
  if (!config.control.tokens.empty()) return config.control.tokens.front().secret;
  if (!config.control.tokens_file.empty()) {
    return first_line(config.control.tokens_file, "the tokens_file", instead);
  }
  return first_line(config::token_file(config.state_dir), "the token", instead);
}

std::string account_of(const config::Config& config) {
  if (!config.account.empty()) return config.account;
  return first_line(config::account_file(config.state_dir), "the account id", "give it with --account");
}

// It becomes a part of every path that is asked for.
std::string checked_account(const std::string& account) {
  try {
    return config::parse_account(account);
  } catch (const config::BadValue& bad) {
    fail(fmt::format("\"{}\" {}", config::visible_text(account), bad.what()));
  }
}

// It becomes a line of every request.
std::string checked_token(const std::string& token) {
  try {
    return config::parse_token(token);
  } catch (const config::BadValue& bad) {
    fail(fmt::format("what is given as the token {}", bad.what()));
  }
}

}  // namespace

ConnectionSettings find_connection(const GivenSettings& given) {
  ConnectionSettings settings;
  settings.ca_file = given.ca_file;
  settings.verify = !given.insecure;
  // Read only when something of it is wanted.
  std::optional<config::Config> config;
  const auto configured = [&]() -> const config::Config& {
    if (!config) config = read_config(given.config_file);
    return *config;
  };
  if (!given.url.empty()) {
    take_url(given.url, settings);
  } else {
    const auto& control = configured().control;
    if (!control.listen) fail("the API is switched off in the configuration (control.listen)");
    settings.tls = control.tls.has_value();
    settings.host = reachable(control.listen->host);
    settings.port = std::to_string(control.listen->port);
  }
  const char* from_environment = std::getenv("SIMULCASTD_TOKEN");
  if (!given.token_file.empty()) {
    settings.token = first_line(given.token_file, "the token file", "it must hold a token");
  } else if (from_environment != nullptr && *from_environment != '\0') {
    settings.token = from_environment;
  } else {
    settings.token = token_of(configured());
  }
  settings.token = checked_token(settings.token);
  settings.account = checked_account(given.account.empty() ? account_of(configured()) : given.account);
  return settings;
}

}  // namespace simulcast::ctl
