// Handlers of /accounts/{account}/stream/live_inputs/{uid}/outputs: see Route for their shape.
#pragma once

#include "control/http/request.hpp"

namespace simulcast::control {

struct Call;
struct Context;

Response list_outputs(Context& context, const Call& call);
Response create_output(Context& context, const Call& call);
Response get_output(Context& context, const Call& call);
Response update_output(Context& context, const Call& call);
Response retry_output(Context& context, const Call& call);
Response delete_output(Context& context, const Call& call);

}  // namespace simulcast::control
