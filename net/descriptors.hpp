// File descriptors, of which a process has only so many: strangers must not take the last ones, for
// destinations have to be dialled again and the store has to be written.
//
// Any thread.
#pragma once

namespace simulcast::net {

// Standard streams that the process was started without become /dev/null: else the next file or socket would
// get that number, and what is logged with it. Before anything is opened.
void fill_standard_descriptors();

// Lets the process have as many as it may at all. Once, at the start.
void raise_descriptor_limit();

enum class DescriptorUse {
  encoder,  // connections that anybody may open
  api,      // those of the one who runs the daemon: half of the reserve is theirs
};

// Whether a descriptor that was just given is out of the reserve. The kernel gives the lowest that is free,
// so that its number tells how many are in use.
bool is_reserved(int descriptor, DescriptorUse use);

}  // namespace simulcast::net
