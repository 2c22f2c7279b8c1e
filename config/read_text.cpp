#include "config/read_text.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "config/load.hpp"

namespace simulcast::config {
namespace {

// A configuration is a few KiB; more is the wrong file, and need not be taken into memory to say so.
constexpr std::size_t kLargestFile = std::size_t{1} << 20;

}  // namespace

std::string read_text(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::string text(kLargestFile + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || !stream.is_open())
    throw ConfigError(file.string() + ": cannot be read: " + std::strerror(errno));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kLargestFile)
    throw ConfigError(file.string() + ": is larger than 1 MiB; is it the right file?");
  return text;
}

}  // namespace simulcast::config
