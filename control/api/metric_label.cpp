#include "control/api/metric_label.hpp"

#include "config/visible_text.hpp"
#include "control/engine.hpp"
#include "media/cut_text.hpp"

namespace simulcast::control {

std::string metric_label(std::string_view name) {
  return config::visible_text(media::cut_text(name, InputSnapshot::kMaxName));
}

}  // namespace simulcast::control
