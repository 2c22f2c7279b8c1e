// Keeps web pages of other sites away from the API.
//
// A page in the user's browser can send requests to this machine, and by giving its own name our address (DNS
// rebinding) even read the answers. Credentials do not come along by themselves, but some paths need none.
// What browsers add to each request (Origin, Sec-Fetch-Site: WHATWG Fetch; W3C Fetch Metadata) tells;
// requests of other clients do not have it and are not looked at. Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "control/http/request.hpp"

namespace simulcast::control {

// Why the request must not be answered, as a sentence, or empty. `hosts`: names that the API is called by;
// addresses and localhost are always good, for nobody can rebind those.
std::string browser_problem(const Request& request, const std::vector<std::string>& hosts);

}  // namespace simulcast::control
