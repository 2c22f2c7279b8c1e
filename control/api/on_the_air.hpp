// Whether a destination that somebody wants to try out is one that an output publishes to right now. Control
// thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "control/api/api.hpp"
#include "control/store/records.hpp"

namespace simulcast::control {

struct Context;

inline constexpr const char* kOnTheAir =
    "An output publishes there with this stream key right now; a test would end its broadcast";

// Hosts of outputs that publish this very stream right now, but to another host by its text.
struct SameStream {
  static constexpr std::size_t kMaxHosts = 8;

  std::string host;                 // of the destination that is wanted
  std::vector<std::string> others;  // each once, kMaxHosts at the most
};

// Throws RequestError when an output publishes there right now, as far as the texts tell.
SameStream check_not_on_air(Context& context, const Output& wanted);

// Whether a lookup shows that one of the others is the same host. A name that is not found in a few seconds
// counts as another: a test of it would come to nothing as well.
boost::asio::awaitable<bool> leads_to_one_of(SameStream same, LookUp look_up);

}  // namespace simulcast::control
