// File descriptors, of which a process has only so many: strangers must not take the last ones, for
// destinations have to be dialled again, and outputs must not, for then nobody could switch them off.
//
// Of the last eighth (the reserve, 32 to 1024) encoders get none. The API may take half of it, and outputs
// three quarters; of the last quarter half is the API's own share, for its first connections, and the rest is
// for the store and for looking up names.
//
// Any thread.
#pragma once

#include <cstddef>

namespace simulcast::net {

// Standard streams that the process was started without become /dev/null: else the next file or socket would
// get that number, and what is logged with it. Before anything is opened.
void fill_standard_descriptors();

// Lets the process have as many as it may at all. Once, at the start.
void raise_descriptor_limit();

enum class DescriptorUse {
  encoder,    // connections that anybody may open
  api,        // those of the one who runs the daemon
  output,     // connections to destinations
  api_share,  // of the API, while it has no more than api_share() of them
};

// How many connections of the API there is always room for; at least 4.
std::size_t api_share();

// Whether a descriptor that was just given is out of the reserve. The kernel gives the lowest that is free,
// so that its number tells how many are in use.
bool is_reserved(int descriptor, DescriptorUse use);

// To whom it is refused.
inline constexpr const char* kTooFewDescriptors =
    "too few file descriptors are left for one more connection: raise the limit (ulimit -n, LimitNOFILE= of "
    "the "
    "service)";

// Whether the next one that is given would not be out of the reserve: for those who ask before they open.
bool has_descriptor(DescriptorUse use);

}  // namespace simulcast::net
