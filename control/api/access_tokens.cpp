#include "control/api/access_tokens.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace simulcast::control {

AccessTokens::Hash AccessTokens::hash_of(std::string_view secret) {
  Hash hash;
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), hash.data());
  return hash;
}

void AccessTokens::replace(const std::vector<config::Token>& tokens) {
  entries_.clear();
  for (const config::Token& token : tokens) {
    if (token.secret.empty()) continue;  // must never match a header without a value
    entries_.push_back({hash_of(token.secret), {token.account, token.read_only}});
  }
}

std::optional<AccessTokens::Grant> AccessTokens::find(const Hash& hash) const {
  std::optional<Grant> found;
  // All entries, also after a hit: the time taken must not tell which token came close.
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.hash.data(), hash.data(), hash.size()) == 0) found = entry.grant;
  }
  return found;
}

}  // namespace simulcast::control
