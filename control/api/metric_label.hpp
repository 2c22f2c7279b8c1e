// A name that a user gave, as the value of a label: whatever reads metrics prints labels, and keeps each of
// them again and again. Pure function.
#pragma once

#include <string>
#include <string_view>

namespace simulcast::control {

// At most InputSnapshot::kMaxName bytes of it: `meta.name` may be as long as a request's body.
std::string metric_label(std::string_view name);

}  // namespace simulcast::control
