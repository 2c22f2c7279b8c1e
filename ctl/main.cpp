// The command line: says what there is, and hands over to the commands.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "config/visible_text.hpp"
#include "ctl/commands.hpp"
#include "ctl/completion.hpp"
#include "ctl/connection_settings.hpp"
#include "ctl/errors.hpp"

namespace {

using namespace simulcast::ctl;

// A key that need not stand in the list of processes: "-" is read from the standard input.
std::string read_key(const std::string& given) {
  if (given.empty()) {
    if (const char* key = std::getenv("SIMULCASTCTL_STREAM_KEY"); key != nullptr) return key;
    return {};
  }
  if (given != "-") return given;
  std::string key;
  std::getline(std::cin, key);
  return key;
}

struct Arguments {
  GivenSettings connection;
  bool json = false;
  bool show_keys = false;
  std::string input;
  std::string output;
  std::string name;
  std::string url;
  std::string key;
  std::string shell;
  bool disabled = false;
};

int run(int argc, char** argv) {
  Arguments given;
  CLI::App app{"simulcastctl: live inputs and outputs of simulcastd on the command line", "simulcastctl"};
  app.set_version_flag("--version", "simulcastctl " SIMULCASTD_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--url", given.connection.url,
                 "Where the API is (default: what the daemon's configuration says)")
      ->type_name("URL");
  app.add_option("--config", given.connection.config_file,
                 "The daemon's configuration file (default: /etc/simulcastd/simulcastd.yaml)")
      ->type_name("FILE");
  app.add_option("--token-file", given.connection.token_file,
                 "File with an API token (default: SIMULCASTD_TOKEN, else the daemon's own)")
      ->type_name("FILE");
  app.add_option("--account", given.connection.account, "The account (default: the daemon's)")
      ->type_name("ID");
  app.add_option("--ca-file", given.connection.ca_file, "Authorities to trust besides the system's")
      ->type_name("FILE");
  app.add_flag("--insecure", given.connection.insecure, "Do not check the server's certificate");
  app.add_flag("--json", given.json, "Print the API's result as JSON");
  app.add_flag("--show-keys", given.show_keys, "Print stream keys and passphrases instead of masking them");

  std::optional<ApiClient> api;
  const auto client = [&]() -> ApiClient& {
    if (!api) api.emplace(find_connection(given.connection));
    return *api;
  };
  const Printing* printing = nullptr;
  int code = static_cast<int>(ExitCode::good);

  const auto input_argument = [&](CLI::App* command, bool required = true) {
    command->add_option("INPUT", given.input, "Name, uid, or the first characters of the uid")
        ->required(required);
  };
  const auto output_argument = [&](CLI::App* command) {
    command->add_option("OUTPUT", given.output, "Name, uid, or the first characters of the uid")->required();
  };

  auto* inputs = app.add_subcommand("inputs", "List the live inputs");
  inputs->callback([&] {
    if (inputs->get_subcommands().empty()) list_inputs(client(), *printing);
  });
  auto* inputs_add = inputs->add_subcommand("add", "Create a live input");
  inputs_add->add_option("NAME", given.name)->required();
  inputs_add->callback([&] { add_input(client(), *printing, given.name); });
  auto* inputs_rm = inputs->add_subcommand("rm", "Delete a live input and its outputs");
  input_argument(inputs_rm);
  inputs_rm->callback([&] { remove_input(client(), given.input); });
  auto* inputs_show = inputs->add_subcommand("show", "Where its encoder publishes to, and what comes in");
  input_argument(inputs_show);
  inputs_show->callback([&] { show_input(client(), *printing, given.input); });

  auto* outputs = app.add_subcommand("outputs", "List the outputs of a live input");
  input_argument(outputs);
  outputs->callback([&] { list_outputs(client(), *printing, given.input); });

  auto* add = app.add_subcommand("add", "Create an output");
  input_argument(add);
  add->add_option("URL", given.url, "The server: rtmp://, rtmps:// or srt://")->required();
  add->add_option("KEY", given.key,
                  "The stream key; - reads it from the standard input (default: SIMULCASTCTL_STREAM_KEY)");
  add->add_option("--name", given.name, "A label")->type_name("NAME");
  add->add_flag("--disabled", given.disabled, "Not to be switched on yet");
  add->callback([&] {
    add_output(client(), *printing,
               {given.input, given.url, read_key(given.key), given.name, !given.disabled});
  });
  auto* rm = app.add_subcommand("rm", "Delete an output");
  auto* enable = app.add_subcommand("enable", "Switch an output on");
  auto* disable = app.add_subcommand("disable", "Switch an output off");
  auto* retry = app.add_subcommand("retry", "Try an output again now");
  for (auto* command : {rm, enable, disable, retry}) {
    input_argument(command);
    output_argument(command);
  }
  rm->callback([&] { remove_output(client(), given.input, given.output); });
  enable->callback([&] { set_output_enabled(client(), *printing, given.input, given.output, true); });
  disable->callback([&] { set_output_enabled(client(), *printing, given.input, given.output, false); });
  retry->callback([&] { retry_output(client(), *printing, given.input, given.output); });

  auto* test = app.add_subcommand("test", "Would a destination take the stream? Exit code 1: no");
  input_argument(test);
  test->add_option("OUTPUT|URL", given.output, "An output, or the server of a destination")->required();
  test->add_option("KEY", given.key, "With a URL: the stream key, as for add");
  test->callback([&] {
    const bool is_url = given.output.find("://") != std::string::npos;
    const bool good = is_url ? test_destination(client(), *printing,
                                                {given.input, given.output, read_key(given.key), {}, true})
                             : test_output(client(), *printing, given.input, given.output);
    if (!good) code = static_cast<int>(ExitCode::refused);
  });

  auto* watch_command = app.add_subcommand("watch", "Show states and figures until Ctrl-C");
  input_argument(watch_command, false);
  watch_command->callback([&] { watch(client(), *printing, given.input, ::isatty(STDOUT_FILENO) != 0); });

  auto* completion_command = app.add_subcommand("completion", "Print the completion for a shell");
  completion_command->add_option("SHELL", given.shell)
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion_command->callback([&] { std::cout << completion(given.shell); });

  // The callbacks run from within parse(), when the options are known.
  app.parse_complete_callback([&] {
    static const Printing chosen{std::cout, given.json, given.show_keys};
    printing = &chosen;
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == EXIT_SUCCESS ? EXIT_SUCCESS : static_cast<int>(ExitCode::usage);
  } catch (const CommandError& error) {
    std::cerr << "simulcastctl: " << simulcast::config::visible_lines(error.what()) << '\n';
    return static_cast<int>(error.code());
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "simulcastctl: " << simulcast::config::visible_lines(error.what()) << '\n';
    return static_cast<int>(ExitCode::unreachable);
  }
}
