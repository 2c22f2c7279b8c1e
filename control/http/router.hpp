// From a method and a path to the handler that answers.
//
// A pattern is a path with named segments: "/client/v4/accounts/{account}/stream/live_inputs/{uid}". Empty
// segments of a request's path count for nothing, so that a trailing or doubled slash is forgiven. The first
// pattern of the table that fits wins.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/http/request.hpp"

namespace simulcast::control {

struct Context;

using Parameters = std::map<std::string, std::string, std::less<>>;

struct Call {
  const Request& request;
  Parameters parameters;  // by the names in the pattern

  const std::string& parameter(std::string_view name) const { return parameters.find(name)->second; }
};

struct Route {
  std::string_view method;
  std::string_view pattern;
  Response (*handler)(Context& context, const Call& call);
};

// Path segments of a request target, percent-decoded, without the query. Throws RequestError when it is no
// path.
std::vector<std::string> path_segments(std::string_view target);

class Router {
 public:
  // The routes with `prefix` before their patterns; both must outlive the router.
  void add(std::string_view prefix, std::span<const Route> routes);

  struct Match {
    const Route* route = nullptr;  // none when the path is unknown, or known but not for this method
    Parameters parameters;
    std::vector<std::string_view> allowed;  // methods of this path; empty when it is unknown
  };
  // HEAD finds the route of GET.
  Match match(std::string_view method, const std::vector<std::string>& path) const;

 private:
  struct Entry {
    const Route* route;
    std::vector<std::string_view> segments;
  };
  std::vector<Entry> entries_;
};

}  // namespace simulcast::control
