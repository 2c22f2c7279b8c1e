// Between Beast's messages and ours, and what of HTTP itself can be wrong with a request. Pure functions;
// internal to HttpSession.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "control/http/faults.hpp"
#include "control/http/request.hpp"
#include "control/http/server.hpp"

namespace simulcast::control {

using HttpParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

// Why a request must not be read on, or empty. Refuses what a proxy in front may understand differently (RFC
// 9112, 6.3).
std::string header_problem(const HttpParser& parser);
// Whether these bytes, of a request that is still read, have a header that goes on in the next line. A proxy
// in front may take that line for a header of its own, so it is refused rather than joined (RFC 9112, 5.2).
bool folds_a_header(std::string_view bytes);
// The client waits for "100 Continue" before it sends the body.
bool awaits_continue(const HttpParser& parser);
// All but the body.
Request request_of(const boost::beast::http::request<boost::beast::http::string_body>& message);
// What to answer to a request that could not be read; nothing when the peer has gone.
std::optional<Fault> fault_of(boost::system::error_code error, const HttpLimits& limits);

void fill_header(boost::beast::http::header<false, boost::beast::http::fields>& header,
                 const Response& response, bool keep);

}  // namespace simulcast::control
