// What makes this daemon itself: its account id and, where none is configured, its API token. Made once, kept
// in the state directory with mode 0600.
#pragma once

#include <filesystem>
#include <string>

namespace simulcast::daemon {

// Makes the directory (mode 0700) if it is missing. Throws std::runtime_error with a sentence.
void prepare_state_dir(const std::filesystem::path& state_dir);
// Whether a daemon has lived there: it left its account id or its token.
bool has_been_used(const std::filesystem::path& state_dir);
// What the files hold, or is made for them. Throw std::runtime_error when a file is there but cannot be read
// or holds something else. 32 hex digits, and what fits behind `Authorization: Bearer`.
std::string account_id(const std::filesystem::path& state_dir);
std::string api_token(const std::filesystem::path& state_dir);

}  // namespace simulcast::daemon
