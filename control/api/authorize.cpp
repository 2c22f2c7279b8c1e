#include "control/api/authorize.hpp"

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <utility>

#include "control/http/faults.hpp"

namespace simulcast::control {

namespace {

std::vector<AccessTokens::Hash> shown_by(const Request& request) {
  std::vector<AccessTokens::Hash> shown;
  constexpr std::string_view kScheme = "Bearer ";
  for (const std::string_view value : request.header("Authorization")) {
    if (boost::algorithm::istarts_with(value, kScheme, std::locale::classic())) {
      shown.push_back(AccessTokens::hash_of(
          boost::algorithm::trim_copy(std::string(value.substr(kScheme.size())), std::locale::classic())));
    }
  }
  const auto emails = request.header("X-Auth-Email");
  if (std::ranges::any_of(emails, [](std::string_view email) { return !email.empty(); })) {
    for (const std::string_view key : request.header("X-Auth-Key")) {
      shown.push_back(AccessTokens::hash_of(key));
    }
  }
  return shown;
}

std::vector<AccessTokens::Grant> grants_of(const std::vector<AccessTokens::Hash>& shown,
                                           const AccessTokens& tokens) {
  std::vector<AccessTokens::Grant> grants;
  for (const AccessTokens::Hash& hash : shown) {
    if (auto grant = tokens.find(hash)) grants.push_back(std::move(*grant));
  }
  return grants;
}

bool covers(const AccessTokens::Grant& grant, std::string_view account) {
  return grant.account.empty() || grant.account == account;
}

}  // namespace

std::vector<AccessTokens::Grant> authenticate(const Request& request, const AccessTokens& tokens) {
  std::vector<AccessTokens::Grant> grants = grants_of(shown_by(request), tokens);
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
  const auto admits = [&](const AccessTokens::Grant& grant) { return covers(grant, account); };
  if (std::ranges::none_of(grants, admits)) {
    throw RequestError(Problem::forbidden, "The token is not for this account");
  }
  const auto permits = [&](const AccessTokens::Grant& grant) { return admits(grant) && !grant.read_only; };
  if (writes && std::ranges::none_of(grants, permits)) {
    throw RequestError(Problem::forbidden, "The token may only read");
  }
}

Pass::Pass(const Request& request, std::string account)
    : shown_(shown_by(request)), account_(std::move(account)) {}

bool Pass::is_good(const AccessTokens& tokens) const {
  return std::ranges::any_of(grants_of(shown_, tokens),
                             [&](const AccessTokens::Grant& grant) { return covers(grant, account_); });
}

}  // namespace simulcast::control
