// JSON from the daemon, and JSON for a terminal or a script.
#pragma once

#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <string>
#include <string_view>

namespace simulcast::ctl {

// As deep as the daemon's answers can be (config/api_nesting.hpp).
boost::json::value parse_answer(std::string_view text, boost::system::error_code& error);
// Throws boost::system::system_error.
boost::json::value parse_answer(std::string_view text);

// One document, with whatever a terminal would obey written as \uXXXX.
std::string document_of(const boost::json::value& value);

}  // namespace simulcast::ctl
