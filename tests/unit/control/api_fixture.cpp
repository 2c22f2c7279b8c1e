#include "api_fixture.hpp"

#include <stdlib.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <stdexcept>

namespace simulcast::control::test {

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "simulcastd-control-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = pattern;
}

std::string Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

testing::AssertionResult is_error(const Answer& answer, unsigned status, int code, std::string_view pointer,
                                  std::string_view message_part) {
  const std::string text = json::serialize(answer.body);
  if (answer.status != status)
    return testing::AssertionFailure() << "status " << answer.status << ": " << text;
  if (!answer.body.at("result").is_null() || answer.body.at("success").as_bool() ||
      !answer.body.at("messages").is_array() || answer.body.at("errors").as_array().empty()) {
    return testing::AssertionFailure() << "not an error's envelope: " << text;
  }
  const json::object& error = answer.error();
  if (error.at("code").as_int64() != code) return testing::AssertionFailure() << "another code: " << text;
  const bool has_pointer = error.contains("source");
  if (has_pointer ? error.at("source").at("pointer").as_string() != pointer : !pointer.empty()) {
    return testing::AssertionFailure() << "another pointer: " << text;
  }
  const std::string_view message = error.at("message").as_string();
  if (message.find(message_part) == std::string_view::npos) {
    return testing::AssertionFailure() << "another message: " << text;
  }
  return testing::AssertionSuccess();
}

Response ApiTest::answer(const Request& request) {
  if (!api_) remake_api();
  Response response = api_->handle(request);
  if (!response.later) return response;
  boost::asio::io_context io;
  auto answer = boost::asio::co_spawn(io, response.later(), boost::asio::use_future);
  io.run();
  return answer.get();
}

Answer ApiTest::send(const Request& request) {
  const Response response = answer(request);
  return {response.status, json::parse(response.text()).as_object(), response.headers};
}

std::string ApiTest::text_of(const std::string& method, const std::string& target, const std::string& body) {
  Request request{method, target, {}, body};
  request.headers.emplace_back("authorization", "Bearer " + kToken);
  return std::string(answer(request).text());
}

Answer ApiTest::call(const std::string& method, const std::string& target, const std::string& body,
                     Headers extra) {
  Request request{method, target, std::move(extra), body};
  request.headers.emplace_back("authorization", "Bearer " + kToken);
  return send(request);
}

std::string ApiTest::new_input(const std::string& body) {
  return std::string(call("POST", kInputs, body).object().at("uid").as_string());
}

std::string ApiTest::new_output(const std::string& input, const std::string& body) {
  return std::string(call("POST", outputs_path(input), body).object().at("uid").as_string());
}

void ApiTest::remake_api() {
  settings_.account = kAccount;
  settings_.now = [this] { return now_; };
  api_ = std::make_unique<Api>(settings_, store(), engine_, tokens_, parts_);
}

}  // namespace simulcast::control::test
