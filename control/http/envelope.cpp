#include "control/http/envelope.hpp"

#include <boost/json/serialize.hpp>

namespace simulcast::control {

namespace json = boost::json;

namespace {

json::object entry(int code, const std::string& message, const std::string& pointer) {
  json::object entry{{"code", code}, {"message", message}};
  if (!pointer.empty()) entry["source"] = json::object{{"pointer", pointer}};
  return entry;
}

}  // namespace

Response success(json::value result, const std::vector<Notice>& notices) {
  json::array messages;
  for (const Notice& notice : notices) {
    messages.push_back(entry(row_of(Problem::bad_value).code, notice.message, notice.pointer));
  }
  json::object envelope{{"result", std::move(result)}, {"success", true}, {"errors", json::array()}};
  envelope["messages"] = std::move(messages);
  return {.status = 200, .body = json::serialize(envelope), .headers = {}};
}

Response failure(const std::vector<Fault>& faults, Headers headers) {
  json::array errors;
  for (const Fault& fault : faults) {
    errors.push_back(entry(row_of(fault.problem).code, fault.message, fault.pointer));
  }
  const ProblemRow& first = row_of(faults.front().problem);
  if (first.lasting) headers.emplace_back("x-should-retry", "false");
  json::object envelope{{"result", nullptr}, {"success", false}};
  envelope["errors"] = std::move(errors);
  envelope["messages"] = json::array();
  return {.status = first.status, .body = json::serialize(envelope), .headers = std::move(headers)};
}

Response failure(Problem problem, std::string message) {
  return failure({Fault{problem, std::move(message), {}}});
}

}  // namespace simulcast::control
