#include "daemon/identity.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "config/state_files.hpp"
#include "config/values.hpp"

namespace simulcast::daemon {

namespace {

constexpr std::size_t kLongestLine = 4096;  // of a token; anything longer is another file

template <std::size_t Bytes>
std::string random_hex() {
  std::array<unsigned char, Bytes> random;
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    throw std::runtime_error("the system gives no random numbers");
  }
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : random) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

// The first line of a file that is there. Nothing is made in the place of one that cannot be read or is
// empty: all that the store holds belongs to the account, and clients know the token.
std::string read_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file.string() + " cannot be read: " + std::strerror(errno));
  std::string line;
  char c = 0;
  while (line.size() <= kLongestLine && in.get(c) && c != '\n') line += c;
  while (line.ends_with('\r') || line.ends_with(' ')) line.pop_back();
  return line;
}

// The first line of the file if `parse` takes it, made with `fresh` if the file is not there. Written whole
// under another name first, so that a crash never leaves half of it.
std::string read_or_make(const std::filesystem::path& file, const std::string& fresh,
                         std::string (*parse)(std::string_view)) {
  std::error_code ec;
  if (std::filesystem::symlink_status(file, ec).type() != std::filesystem::file_type::not_found) {
    const std::string line = read_line(file);
    try {
      if (line.empty() || line.size() > kLongestLine) throw config::BadValue("is empty or too long");
      return parse(line);
    } catch (const config::BadValue& bad) {
      throw std::runtime_error("what " + file.string() + " holds " + bad.what() +
                               "; put back what was in it, or remove the file to have a new one made");
    }
  }

  const std::filesystem::path temporary = file.string() + ".new";
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string text = fresh + "\n";
  const bool written = descriptor >= 0 &&
                       ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!written) throw std::runtime_error("cannot write " + temporary.string() + ": " + std::strerror(error));
  std::filesystem::rename(temporary, file);
  return fresh;
}

}  // namespace

void prepare_state_dir(const std::filesystem::path& state_dir) {
  std::error_code ec;
  if (std::filesystem::create_directories(state_dir, ec)) ::chmod(state_dir.c_str(), 0700);
  if (ec) throw std::runtime_error("state_dir " + state_dir.string() + " cannot be made: " + ec.message());
  if (::access(state_dir.c_str(), W_OK | X_OK) != 0) {
    throw std::runtime_error("state_dir " + state_dir.string() +
                             " cannot be written to: " + std::strerror(errno));
  }
}

bool has_been_used(const std::filesystem::path& state_dir) {
  std::error_code ec;
  return std::filesystem::exists(config::account_file(state_dir), ec) ||
         std::filesystem::exists(config::token_file(state_dir), ec);
}

std::string account_id(const std::filesystem::path& state_dir) {
  return read_or_make(config::account_file(state_dir), random_hex<16>(), config::parse_account);
}

std::string api_token(const std::filesystem::path& state_dir) {
  return read_or_make(config::token_file(state_dir), random_hex<32>(), config::parse_token);
}

}  // namespace simulcast::daemon
