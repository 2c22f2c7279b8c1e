// The one shape of every answer: {"result", "success", "errors", "messages"}.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "control/http/faults.hpp"
#include "control/http/request.hpp"

namespace simulcast::control {

// Something that did not stop the request but its sender should know, such as a member that was ignored.
struct Notice {
  std::string message;
  std::string pointer;
};

Response success(boost::json::value result, const std::vector<Notice>& notices = {});
// What stands before and behind a result without notices, for one that is JSON text already.
inline constexpr std::string_view kSuccessBegins = R"({"result":)";
inline constexpr std::string_view kSuccessEnds = R"(,"success":true,"errors":[],"messages":[]})";
Response failure(const std::vector<Fault>& faults, Headers headers = {});
Response failure(Problem problem, std::string message);

}  // namespace simulcast::control
