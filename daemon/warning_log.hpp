// Logs when a warning of an output appears and when it no longer holds.
//
// One for each output, owned by the Relay; control thread. To be shown the warnings once a second at most.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "media/status.hpp"

namespace simulcast::daemon {

class WarningLog {
 public:
  // What a warning says may change with each measurement; it is the same as long as its rule is.
  void note(std::string_view input_uid, std::string_view output_uid,
            const std::vector<media::Warning>& warnings);

 private:
  std::vector<std::string> rules_;  // those broken, as last noted
};

}  // namespace simulcast::daemon
