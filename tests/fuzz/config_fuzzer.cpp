// A configuration file: it is read, or refused with the lines that are at fault.
#include <string>

#include "config/denied_networks.hpp"
#include "config/load.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const config::Config config = config::load_text(text, "/etc/fuzz.yaml");
    check(config.stream.hold.count() >= 0 && config.outputs_per_input >= 1);
    check(config.egress.queue_bytes > 0 && config.egress.queue_duration.count() > 0);
    for (const auto& token : config.control.tokens) {
      check(std::ranges::all_of(token.secret, [](char c) { return c > ' ' && c < '\x7f'; }));
    }
    for (const auto& network : config.egress.deny) {
      // A network holds its own first address.
      const bool v4 = network.address.size() == 4;
      check((v4 || network.address.size() == 16) && network.prefix_length <= network.address.size() * 8);
    }
  } catch (const config::ConfigError& error) {
    check(std::string_view(error.what()).starts_with("/etc/fuzz.yaml:"));
  }
}
