// Who may call the API: the configured tokens, and what each of them is good for.
//
// Owned by Application, used on the control thread. Only hashes are kept, and every one is compared in
// constant time.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace simulcast::control {

class AccessTokens {
 public:
  struct Grant {
    std::string account;  // empty: every account
    bool read_only = false;

    bool operator==(const Grant&) const = default;
  };

  explicit AccessTokens(const std::vector<config::Token>& tokens) { replace(tokens); }

  using Hash = std::array<unsigned char, 32>;
  static Hash hash_of(std::string_view secret);

  // All tokens from now on. What has been answered is not taken back; whoever is still being answered must be
  // looked at again (EventStream::tokens_changed).
  void replace(const std::vector<config::Token>& tokens);
  std::optional<Grant> find(std::string_view secret) const { return find(hash_of(secret)); }
  std::optional<Grant> find(const Hash& hash) const;

 private:
  struct Entry {
    Hash hash;
    Grant grant;
  };

  std::vector<Entry> entries_;
};

}  // namespace simulcast::control
