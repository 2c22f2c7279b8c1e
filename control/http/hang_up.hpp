// An answer that takes its time, given up when the client hangs up: nobody would read it, and what makes it
// may be needed by others. On the server's thread.
//
// A client that only ends its own side counts as gone; one that sends its next request meanwhile does not.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <optional>

#include "control/http/request.hpp"

namespace simulcast::control {

// Awaits what `later` gives; nothing when the client went first: then `later` was cancelled (terminal), and
// has ended. Throws what it throws. `socket`: without its TLS, nobody else waits on it meanwhile.
boost::asio::awaitable<std::optional<Response>> answer_unless_hung_up(
    std::function<boost::asio::awaitable<Response>()> later, boost::asio::ip::tcp::socket& socket);

}  // namespace simulcast::control
