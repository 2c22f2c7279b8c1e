// Tells systemd how the service is doing (Type=notify). Without systemd every call does nothing.
#pragma once

#include <string_view>

namespace simulcast::daemon {

void notify_ready(std::string_view status);
void notify_reloading();
void notify_stopping();

}  // namespace simulcast::daemon
