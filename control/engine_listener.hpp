// Hears what becomes of inputs and outputs: the event stream, the notifications.
//
// Called on the control thread from inside the engine: takes note, and returns without calling the engine.
#pragma once

#include <string>

#include "media/status.hpp"

namespace simulcast::control {

class EngineListener {
 public:
  // The input's connection has become this.
  virtual void input_changed(const std::string& input_uid, const media::InputStatus& status) = 0;
  // Something of the output's status is other than before: its state, its message, its attempt.
  virtual void output_changed(const std::string& input_uid, const std::string& output_uid,
                              const media::OutputStatus& status) = 0;
  // The input's record or one of its outputs has been created, edited or deleted.
  virtual void wanted_changed(const std::string& input_uid) { static_cast<void>(input_uid); }

 protected:
  ~EngineListener() = default;
};

}  // namespace simulcast::control
