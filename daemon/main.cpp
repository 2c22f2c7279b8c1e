// The command line: reads the configuration, then hands over to Application.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <system_error>

#include "config/load.hpp"
#include "config/platforms.hpp"
#include "config/visible_text.hpp"
#include "daemon/application.hpp"
#include "daemon/logging.hpp"
#include "daemon/spare_memory.hpp"
#include "net/descriptors.hpp"

namespace {

constexpr const char* kDefaultConfig = "/etc/simulcastd/simulcastd.yaml";
constexpr int kStartFailed = 1;
constexpr int kBadConfig = 2;

int run(const simulcast::config::Config& config, const std::filesystem::path& file) {
  try {
    simulcast::daemon::Application application(config, file);
    application.run();
    if (application.is_resolving()) {
      simulcast::daemon::shut_down_logging(EXIT_SUCCESS);
      std::_Exit(EXIT_SUCCESS);
    }
  } catch (const std::exception& error) {
    spdlog::error("cannot start: {}", error.what());
    return kStartFailed;
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  simulcast::net::fill_standard_descriptors();
  simulcast::daemon::SpareMemory::set_up();
  // A peer that hangs up is seen as a failed write, not as a signal.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app{"simulcastd: one live input comes in, every enabled output gets the same packets",
               "simulcastd"};
  std::filesystem::path file;
  bool check_only = false;
  app.add_option("--config", file,
                 std::string("Configuration file (default: ") + kDefaultConfig + ", if it is there)")
      ->type_name("FILE");
  app.add_flag("--check-config", check_only, "Check the configuration and exit: 0 good, 2 bad");
  app.set_version_flag("--version", "simulcastd " SIMULCASTD_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == EXIT_SUCCESS ? EXIT_SUCCESS : kBadConfig;
  }

  // One that cannot be looked for is named by load_file().
  std::error_code unknown;
  if (file.empty() && (std::filesystem::exists(kDefaultConfig, unknown) || unknown)) file = kDefaultConfig;
  simulcast::config::Config config;
  try {
    if (!file.empty()) config = simulcast::config::load_file(file);
    simulcast::config::load_platforms(config.egress.platforms);  // to be told of its mistakes as well
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", simulcast::config::visible_lines(error.what()).c_str());
    return kBadConfig;
  }
  if (check_only) {
    std::printf("%s: good\n", file.empty() ? "built-in defaults" : file.c_str());
    return EXIT_SUCCESS;
  }
  simulcast::net::raise_descriptor_limit();
  try {
    simulcast::daemon::set_up_logging(config.log);
  } catch (const std::exception& cause) {
    std::fprintf(stderr, "cannot start: %s\n", cause.what());
    return kStartFailed;
  }
  const int code = run(config, file);
  simulcast::daemon::shut_down_logging(code);
  return code;
}
