#include "daemon/warning_log.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace simulcast::daemon {

void WarningLog::note(std::string_view input_uid, std::string_view output_uid,
                      const std::vector<media::Warning>& warnings) {
  std::vector<std::string> rules;
  for (const auto& [rule, message] : warnings) {
    rules.push_back(rule);
    if (std::ranges::find(rules_, rule) != rules_.end()) continue;
    spdlog::warn("output warning input={} output={} rule={} message=\"{}\"", input_uid, output_uid, rule,
                 message);
  }
  for (const std::string& rule : rules_) {
    if (std::ranges::find(rules, rule) != rules.end()) continue;
    spdlog::warn("output warning has gone input={} output={} rule={}", input_uid, output_uid, rule);
  }
  rules_ = std::move(rules);
}

}  // namespace simulcast::daemon
