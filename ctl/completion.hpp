// The completion of this command line for the shells that are known: the files of ctl/completions, built in.
#pragma once

#include <string_view>

namespace simulcast::ctl {

// "bash", "zsh" or "fish"; empty for others.
std::string_view completion(std::string_view shell);

}  // namespace simulcast::ctl
