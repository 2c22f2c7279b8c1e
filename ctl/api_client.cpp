#include "ctl/api_client.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json/serialize.hpp>

#include "ctl/answer_json.hpp"
#include "ctl/errors.hpp"

namespace simulcast::ctl {

namespace http = boost::beast::http;
namespace json = boost::json;

HttpConnection::Request ApiClient::message(std::string_view method, std::string_view path,
                                           const json::value& body) const {
  constexpr unsigned kHttp11 = 11;
  HttpConnection::Request message(http::string_to_verb(method),
                                  fmt::format("/client/v4/accounts/{}/stream{}", settings_.account, path),
                                  kHttp11);
  message.set(http::field::host, authority_of(settings_));
  message.set(http::field::user_agent, "simulcastctl/" SIMULCASTD_VERSION);
  message.set(http::field::authorization, "Bearer " + settings_.token);
  if (!body.is_null()) {
    message.set(http::field::content_type, "application/json");
    message.body() = json::serialize(body);
  }
  message.prepare_payload();
  return message;
}

json::value ApiClient::request(std::string_view method, std::string_view path, const json::value& body) {
  auto to_send = message(method, path, body);
  // Put back when it can be used again, so not when anything goes wrong.
  auto connection = std::move(connection_);
  if (!connection) connection = std::make_unique<HttpConnection>(settings_);
  const auto answer = connection->exchange(to_send);
  if (answer.keep_alive()) connection_ = std::move(connection);
  return result_of(answer);
}

void ApiClient::follow(std::string_view path, const std::function<void()>& begun,
                       const std::function<void(std::string_view)>& take) {
  auto to_send = message("GET", path, {});
  HttpConnection connection(settings_);
  const auto answer = connection.follow(to_send, begun, take);
  if (answer.result() != http::status::ok) result_of(answer);
}

json::value ApiClient::result_of(const HttpConnection::Answer& answer) const {
  boost::system::error_code error;
  const json::value envelope = parse_answer(answer.body(), error);
  const auto* object = error ? nullptr : envelope.if_object();
  if (object == nullptr || !object->contains("success")) {
    unreachable(settings_,
                fmt::format("what answers there (status {}) is not simulcastd", answer.result_int()));
  }
  if (object->at("success") == json::value(true)) return object->at("result");
  std::string sentence;
  for (const auto& fault : object->at("errors").as_array()) {
    if (!sentence.empty()) sentence += "\n";
    sentence += fault.at("message").as_string();
    if (const auto* source = fault.as_object().if_contains("source")) {
      sentence += fmt::format(" ({})", std::string_view(source->at("pointer").as_string()));
    }
  }
  throw CommandError(ExitCode::refused, sentence);
}

}  // namespace simulcast::ctl
