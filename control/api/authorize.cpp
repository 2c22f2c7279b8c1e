#include "control/api/authorize.hpp"

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/trim.hpp>

#include "control/http/faults.hpp"

namespace simulcast::control {

std::vector<AccessTokens::Grant> authenticate(const Request& request, const AccessTokens& tokens) {
  std::vector<AccessTokens::Grant> grants;
  const auto offer = [&](std::string_view secret) {
    if (auto grant = tokens.find(secret)) grants.push_back(std::move(*grant));
  };
  constexpr std::string_view kScheme = "Bearer ";
  for (const std::string_view value : request.header("Authorization")) {
    if (boost::algorithm::istarts_with(value, kScheme, std::locale::classic())) {
      offer(boost::algorithm::trim_copy(std::string(value.substr(kScheme.size())), std::locale::classic()));
    }
  }
  const auto emails = request.header("X-Auth-Email");
  if (std::ranges::any_of(emails, [](std::string_view email) { return !email.empty(); })) {
    for (const std::string_view key : request.header("X-Auth-Key")) offer(key);
  }
  if (grants.empty()) {
    // The same words whatever was wrong: nothing to learn from by trying.
    throw RequestError(
        Problem::bad_credentials,
        "Authentication error: send \"Authorization: Bearer TOKEN\" (or X-Auth-Email and X-Auth-Key) "
        "with a token of this daemon");
  }
  return grants;
}

void authorize(const std::vector<AccessTokens::Grant>& grants, std::string_view account, bool writes) {
  const auto covers = [&](const AccessTokens::Grant& grant) {
    return grant.account.empty() || grant.account == account;
  };
  if (std::ranges::none_of(grants, covers)) {
    throw RequestError(Problem::forbidden, "The token is not for this account");
  }
  const auto permits = [&](const AccessTokens::Grant& grant) { return covers(grant) && !grant.read_only; };
  if (writes && std::ranges::none_of(grants, permits)) {
    throw RequestError(Problem::forbidden, "The token may only read");
  }
}

}  // namespace simulcast::control
