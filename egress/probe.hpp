// Tries a destination out: looks up, dials, shakes hands and asks to publish as an output does, sends no
// media, and hangs up properly.
//
// Whoever awaits it runs it; ends within Sink::kOpenTimeout and the time that hanging up takes, and hangs up
// at once when it is cancelled (terminal).
#pragma once

#include <boost/asio/awaitable.hpp>

#include "egress/output_spec.hpp"
#include "media/status.hpp"

namespace simulcast::egress {

boost::asio::awaitable<media::OutputTest> probe(OutputSpec spec, const Environment& environment);

}  // namespace simulcast::egress
