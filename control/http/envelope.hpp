// The one shape of every answer: {"result", "success", "errors", "messages"}.
#pragma once

#include <boost/json/value.hpp>
#include <string>
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
// The same of a result that is JSON text already.
Response success_text(std::string_view result);
Response failure(const std::vector<Fault>& faults, Headers headers = {});
Response failure(Problem problem, std::string message);

}  // namespace simulcast::control
