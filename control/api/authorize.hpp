// Checks a request's credentials against the tokens and the account that its path names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/api/access_tokens.hpp"
#include "control/http/request.hpp"

namespace simulcast::control {

// Which of a request's credentials are good: `Authorization: Bearer TOKEN`, or `X-Auth-Email` with a token as
// `X-Auth-Key`. Throws RequestError when none is.
std::vector<AccessTokens::Grant> authenticate(const Request& request, const AccessTokens& tokens);

// Throws RequestError unless one of the grants covers `account` and, when `writes`, is not limited to
// reading.
void authorize(const std::vector<AccessTokens::Grant>& grants, std::string_view account, bool writes);

// What a request came in by, for an answer that goes on after it: whether that would still let it read. Keeps
// hashes, no secret.
class Pass {
 public:
  // The request has been authorized for `account`.
  Pass(const Request& request, std::string account);

  bool is_good(const AccessTokens& tokens) const;

 private:
  std::vector<AccessTokens::Hash> shown_;
  std::string account_;
};

}  // namespace simulcast::control
