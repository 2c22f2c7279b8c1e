// Reads a configuration file into memory; throws ConfigError when that cannot be done, or when it is so large
// that it must be another file. Any thread.
#pragma once

#include <filesystem>
#include <string>

namespace simulcast::config {

std::string read_text(const std::filesystem::path& file);

}  // namespace simulcast::config
