// Which input or output somebody means: by uid, by a beginning of it, or by name.
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <string_view>

#include "ctl/api_client.hpp"

namespace simulcast::ctl {

// A beginning shorter than this names nothing: two characters would fit too many.
inline constexpr std::size_t kShortestPrefix = 4;

// The uids. Throw CommandError when nothing fits, or several do: with the list of them.
std::string find_input(ApiClient& api, std::string_view wanted);
std::string find_output(ApiClient& api, const std::string& input, std::string_view wanted);

// The name of an input as the list has it, or of an output; empty: it has none.
std::string name_of(const boost::json::object& item);

}  // namespace simulcast::ctl
