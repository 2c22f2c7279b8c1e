// What an encoder says it wants, in the stream id of its SRT connection: the name alone, or the access
// control form
// "#!::r=name,m=publish" with more keys that are let pass.
//
// SRT Access Control Guideline (libsrt, docs/features/access-control.md). Hostile input; pure function, any
// thread.
#pragma once

#include <string_view>

namespace simulcast::srt {

struct StreamId {
  std::string_view resource;  // part of the text; empty when none is named
  bool publish = true;        // what a relay is called for, so what is meant when no mode is said
};

StreamId parse_stream_id(std::string_view text);

}  // namespace simulcast::srt
