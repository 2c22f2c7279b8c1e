// The description of the API (OpenAPI 3.1), control/api/openapi.json, which is built in.
#pragma once

#include <string_view>

#include "control/http/request.hpp"

namespace simulcast::control {

struct Call;
struct Context;

std::string_view openapi_text();
Response get_openapi(Context& context, const Call& call);

}  // namespace simulcast::control
