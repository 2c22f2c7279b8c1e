#include "control/http/router.hpp"

#include <algorithm>
#include <boost/url/pct_string_view.hpp>
#include <optional>

#include "control/http/faults.hpp"

namespace simulcast::control {

namespace {

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    if (slash > 0) segments.push_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return segments;
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}

std::optional<Parameters> fit(const std::vector<std::string_view>& pattern,
                              const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  Parameters parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_parameter(pattern[i])) {
      parameters.emplace(pattern[i].substr(1, pattern[i].size() - 2), path[i]);
    } else if (pattern[i] != path[i]) {
      return std::nullopt;
    }
  }
  return parameters;
}

}  // namespace

std::vector<std::string> path_segments(std::string_view target) {
  // Absolute form, as sent to proxies (RFC 9112, 3.2.2): only the path matters.
  if (!target.starts_with('/')) {
    const auto scheme = target.find("://");
    if (scheme == std::string_view::npos)
      throw RequestError(Problem::unknown_path, "There is nothing at this path");
    const auto path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  std::vector<std::string> segments;
  for (const std::string_view raw : split(target.substr(0, target.find_first_of("?#")))) {
    const auto encoded = boost::urls::make_pct_string_view(raw);
    if (!encoded) {
      throw RequestError(Problem::bad_value, "The path has a '%' that two hex digits do not follow");
    }
    segments.push_back(encoded->decode());
  }
  return segments;
}

void Router::add(std::string_view prefix, std::span<const Route> routes) {
  for (const Route& route : routes) {
    Entry entry{&route, split(prefix)};
    for (const std::string_view segment : split(route.pattern)) entry.segments.push_back(segment);
    entries_.push_back(std::move(entry));
  }
}

Router::Match Router::match(std::string_view method, const std::vector<std::string>& path) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match match;
  for (const Entry& entry : entries_) {
    auto parameters = fit(entry.segments, path);
    if (!parameters) continue;
    match.allowed.push_back(entry.route->method);
    if (match.route == nullptr && entry.route->method == wanted) {
      match.route = entry.route;
      match.parameters = std::move(*parameters);
    }
  }
  return match;
}

}  // namespace simulcast::control
