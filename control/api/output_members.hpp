// What a body says of an output: its address, its key, and the rest.
#pragma once

#include <boost/json/object.hpp>

#include "control/api/api.hpp"
#include "control/api/members.hpp"
#include "control/store/records.hpp"

namespace simulcast::control {

// Absent members change nothing, except that one that is created needs an address and a key. Address and key
// are judged together, as they are after the change. Throws RequestError with all that is wrong.
void read_output_members(const ApiSettings& settings, const boost::json::object& body, bool creating,
                         Output& output, Findings& findings);

}  // namespace simulcast::control
