// Where in the state directory the daemon keeps what makes it itself, for those who read it there.
#pragma once

#include <filesystem>

namespace simulcast::config {

// 32 hex digits.
inline std::filesystem::path account_file(const std::filesystem::path& state_dir) {
  return state_dir / "account";
}
// The token that was made because none is configured.
inline std::filesystem::path token_file(const std::filesystem::path& state_dir) {
  return state_dir / "api-token";
}

}  // namespace simulcast::config
