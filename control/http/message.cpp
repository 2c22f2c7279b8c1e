#include "control/http/message.hpp"

#include <spdlog/fmt/chrono.h>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <ctime>

namespace simulcast::control {

namespace beast = boost::beast;
namespace http = boost::beast::http;

std::string header_problem(const HttpParser& parser) {
  const auto& message = parser.get();
  if (message.version() != 10 && message.version() != 11) return "The HTTP version must be 1.0 or 1.1";
  const auto hosts = message.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && message.version() == 11)) return "The request must have one Host header";
  const std::string_view length = message[http::field::content_length];
  if (message.count(http::field::content_length) > 1 || length.find(',') != std::string_view::npos) {
    return "The request must have one Content-Length";
  }
  if (message.count(http::field::transfer_encoding) > 0 &&
      (!parser.chunked() || message.version() == 10 || message.count(http::field::transfer_encoding) > 1 ||
       !beast::iequals(message[http::field::transfer_encoding], "chunked"))) {
    return "The only transfer encoding understood is \"chunked\"";
  }
  return {};
}

bool folds_a_header(std::string_view bytes) {
  if (bytes.starts_with("\r\n")) return false;  // only the empty line behind the headers was left
  const std::string_view headers = bytes.substr(0, bytes.find("\r\n\r\n"));
  return headers.find("\r\n ") != std::string_view::npos || headers.find("\r\n\t") != std::string_view::npos;
}

bool awaits_continue(const HttpParser& parser) {
  const auto& message = parser.get();
  return message.version() == 11 && !parser.is_done() &&
         beast::iequals(message[http::field::expect], "100-continue");
}

Request request_of(const http::request<http::string_body>& message) {
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  return request;
}

std::optional<Fault> fault_of(boost::system::error_code error, const HttpLimits& limits) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Fault{
        Problem::header_too_large, fmt::format("The headers must be at most {} bytes", limits.header), {}};
  }
  if (error == http::error::body_limit) {
    return Fault{Problem::body_too_large, fmt::format("The body must be at most {} bytes", limits.body), {}};
  }
  if (error == http::error::end_of_stream) return std::nullopt;  // no request had begun
  static const auto& http_category = make_error_code(http::error::bad_method).category();
  if (error.category() == http_category) {
    return Fault{Problem::bad_http, fmt::format("This is not a valid HTTP request: {}", error.message()), {}};
  }
  return std::nullopt;
}

void fill_header(http::header<false, http::fields>& header, const Response& response, bool keep) {
  header.version(11);
  header.result(response.status);
  header.set(http::field::date, fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
  header.set(http::field::content_type, "application/json");
  if (!response.source) header.set(http::field::content_length, std::to_string(response.text().size()));
  header.set(http::field::cache_control, "no-store");  // answers hold stream keys
  // In every answer, for clients of HTTP/1.0 have to be told either way.
  header.set(http::field::connection, keep ? "keep-alive" : "close");
  for (const auto& [name, value] : response.headers) header.set(name, value);
}

}  // namespace simulcast::control
