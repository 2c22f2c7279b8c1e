#include "control/api/browser_guard.hpp"

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/url/authority_view.hpp>
#include <boost/url/parse.hpp>
#include <string_view>

namespace simulcast::control {

namespace {

bool same(std::string_view left, std::string_view right) {
  return boost::algorithm::iequals(left, right, std::locale::classic());
}

std::string_view value_of(const Request& request, std::string_view name) {
  const auto values = request.header(name);
  return values.empty() ? std::string_view() : values.front();
}

bool is_ours(std::string_view host, const std::vector<std::string>& hosts) {
  const auto authority = boost::urls::parse_authority(host);
  if (!authority) return false;
  if (authority->host_type() != boost::urls::host_type::name) {
    return authority->host_type() != boost::urls::host_type::none;
  }
  const std::string name = authority->host();
  if (same(name, "localhost")) return true;
  return std::ranges::any_of(hosts, [&](const std::string& ours) { return same(name, ours); });
}

// Links from elsewhere may be followed: what they lead to is shown to the user and not to the page.
bool is_navigation(const Request& request) {
  return request.method == "GET" && same(value_of(request, "Sec-Fetch-Mode"), "navigate");
}

}  // namespace

std::string browser_problem(const Request& request, const std::vector<std::string>& hosts) {
  const std::string_view origin = value_of(request, "Origin");
  const std::string_view site = value_of(request, "Sec-Fetch-Site");
  if (origin.empty() && site.empty()) return {};  // no browser
  const std::string_view host = value_of(request, "Host");
  if (!is_ours(host, hosts)) {
    return "A browser asks for this API by a name that is not its own; add the name to control.hosts if it "
           "is";
  }
  const auto scheme = origin.find("://");
  const bool other_origin =
      !origin.empty() && (scheme == std::string_view::npos || !same(origin.substr(scheme + 3), host));
  const bool other_site = !site.empty() && !same(site, "same-origin") && !same(site, "none");
  if (other_origin || (other_site && !is_navigation(request))) {
    return "Web pages of other sites may not use this API";
  }
  return {};
}

}  // namespace simulcast::control
