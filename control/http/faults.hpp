// What can be wrong with a request: one row for each case, with the HTTP status and the code the original API
// uses.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "control/http/request.hpp"

namespace simulcast::control {

enum class Problem {
  bad_credentials,
  forbidden,
  unknown_path,
  not_found,
  not_json,
  bad_value,
  bad_output_url,
  bad_retention,
  bad_method,
  too_many_outputs,
  used_idempotency_key,
  on_the_air,
  too_many_requests,
  bad_http,
  request_timeout,
  body_too_large,
  header_too_large,
  internal,
  not_ready,
  no_room,
  storage_full,
};

struct ProblemRow {
  Problem problem;
  unsigned status;
  int code;
  bool lasting = false;  // a status that clients retry, though repeating cannot help: they are told not to
};
const ProblemRow& row_of(Problem problem);

struct Fault {
  Problem problem;
  std::string message;  // a sentence a person can act on; never a secret
  std::string pointer;  // JSON pointer to the member at fault, or empty
};

// Thrown by handlers, answered in one place (Api::handle). The first fault gives the HTTP status.
class RequestError : public std::exception {
 public:
  explicit RequestError(std::vector<Fault> faults, Headers headers = {})
      : faults_(std::move(faults)), headers_(std::move(headers)) {}
  RequestError(Problem problem, std::string message, std::string pointer = {})
      : faults_{{problem, std::move(message), std::move(pointer)}} {}

  const char* what() const noexcept override { return faults_.front().message.c_str(); }
  const std::vector<Fault>& faults() const { return faults_; }
  const Headers& headers() const { return headers_; }

 private:
  std::vector<Fault> faults_;
  Headers headers_;
};

}  // namespace simulcast::control
