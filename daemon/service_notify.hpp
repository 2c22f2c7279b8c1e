// Tells systemd how the service is doing (Type=notify). Without systemd every call does nothing.
#pragma once

#include <chrono>
#include <string_view>

namespace simulcast::daemon {

void notify_ready(std::string_view status);
void notify_reloading();
void notify_stopping();

// How often systemd wants to hear that all is well; zero: it does not.
std::chrono::microseconds watchdog_period();
void notify_alive();

}  // namespace simulcast::daemon
