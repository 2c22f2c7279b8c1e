// One connection to the daemon, plain or TLS. Blocks; for a command line. Throws CommandError (unreachable)
// when the daemon does not answer within a minute, or not at all, and is of no use after that.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ctl/connection_settings.hpp"

namespace simulcast::ctl {

class HttpConnection {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Answer = boost::beast::http::response<boost::beast::http::string_body>;

  explicit HttpConnection(const ConnectionSettings& settings);  // connects
  ~HttpConnection();

  Answer exchange(Request& request);
  // Gives what comes to `take` piece by piece, after a call of `begun`; comes back when it ends. An answer
  // that is not of status 200 is given back instead.
  Answer follow(Request& request, const std::function<void()>& begun,
                const std::function<void(std::string_view)>& take);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "https://host:port", and without the scheme for the header Host.
std::string address_of(const ConnectionSettings& settings);
std::string authority_of(const ConnectionSettings& settings);

[[noreturn]] void unreachable(const ConnectionSettings& settings, const std::string& cause);

}  // namespace simulcast::ctl
