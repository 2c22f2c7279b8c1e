// What an encoder says it wants, in the stream id of its SRT connection: the name alone, or the access
// control form
// "#!::r=name,m=publish" with more keys that are let pass. Encoders that take it from a URL may leave the
// percent signs in that form ("%23!::"); they are undone.
//
// SRT Access Control Guideline (libsrt, docs/features/access-control.md). Hostile input; pure function, any
// thread.
#pragma once

#include <string>
#include <string_view>

namespace simulcast::srt {

struct StreamId {
  std::string resource;  // empty when none is named
  bool publish = true;   // what a relay is called for, so what is meant when no mode is said
};

StreamId parse_stream_id(std::string_view text);

// Whether it names what could be a live input of a relay of this kind: 32 hexadecimal digits.
bool may_name_live_input(std::string_view stream_id);

}  // namespace simulcast::srt
