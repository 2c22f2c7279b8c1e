// Handlers of /accounts/{account}/stream/live_inputs: see Route for their shape.
#pragma once

#include "control/http/request.hpp"

namespace simulcast::control {

struct Call;
struct Context;

Response list_inputs(Context& context, const Call& call);
Response create_input(Context& context, const Call& call);
Response get_input(Context& context, const Call& call);
Response update_input(Context& context, const Call& call);
Response delete_input(Context& context, const Call& call);
Response enable_input(Context& context, const Call& call);
Response disable_input(Context& context, const Call& call);
Response rotate_input_keys(Context& context, const Call& call);
Response list_input_videos(Context& context, const Call& call);
Response get_lifecycle(Context& context, const Call& call);  // no credentials

}  // namespace simulcast::control
