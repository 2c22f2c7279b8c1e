// Members of the API's answers in words, for tables and lines.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

namespace simulcast::ctl {

// "connected", "holding" (the encoder is away, the outputs are kept), "disconnected", "disabled", "never".
std::string state_of_input(const boost::json::object& input);
// Of `stats` of an input or an output; null gives "".
std::string bitrate_of(const boost::json::value& stats);
std::string video_of(const boost::json::value& stats);
std::string audio_of(const boost::json::value& stats);
// A time of the API as the time of day here, "19:55:01".
std::string clock_of(std::string_view timestamp);
// An address without the values in its query, and without user and password.
std::string without_secrets(const std::string& url);

}  // namespace simulcast::ctl
