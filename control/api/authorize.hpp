// Checks a request's credentials against the tokens and the account that its path names.
#pragma once

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

}  // namespace simulcast::control
