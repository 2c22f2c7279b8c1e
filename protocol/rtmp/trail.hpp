// What relays of this kind tell each other over RTMP beyond its specification.
#pragma once

#include <string_view>

namespace simulcast::rtmp {

// Property of connect's command object: media::Trail::text(). A server that does not know it ignores it.
inline constexpr std::string_view kTrailProperty = "simulcastdTrail";

// Refuses a stream that has come through the input before.
inline constexpr std::string_view kLoopCode = "NetStream.Publish.Rejected";

}  // namespace simulcast::rtmp
