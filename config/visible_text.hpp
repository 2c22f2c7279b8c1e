// Texts that somebody else has written, made fit for a terminal, a log line or a label: what a terminal would
// obey, and what would turn the order of the characters around it, is written out as \u001b or \u202e.
//
// Pure functions, any thread. Inside a JSON text the result means the same as before: such characters stand
// in its strings only, and that is how a JSON string spells them.
#pragma once

#include <string>
#include <string_view>

namespace simulcast::config {

// Also of a line break; bytes that are no UTF-8 become U+FFFD.
std::string visible_text(std::string_view text);
// Line breaks stay.
std::string visible_lines(std::string_view text);

}  // namespace simulcast::config
