// Who is told of what: webhooks, the policies that name them, and the deliveries that are still to be made.
//
// Plain values, as the store keeps them; they live on the control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/store/records.hpp"

namespace simulcast::control {

// A receiver of notifications: the original's webhook destination.
struct Webhook {
  std::string account;
  std::string id;  // 32 lower-case hex digits
  Timestamp created;
  std::string name;
  std::string url;     // never logged: the path of many is a secret
  std::string secret;  // empty: none; never shown, never logged
  std::optional<Timestamp> last_success;
  std::optional<Timestamp> last_failure;
  std::int64_t given_up = 0;  // notifications that it never got, because too many waited or for too long

  bool operator==(const Webhook&) const = default;
};

// Which events go to which webhooks.
struct Policy {
  std::string account;
  std::string id;  // 32 lower-case hex digits
  Timestamp created;
  Timestamp modified;
  std::string name;
  std::string description;
  bool enabled = true;
  std::vector<std::string> input_ids;    // empty: of all inputs
  std::vector<std::string> event_types;  // empty: those that the original has
  std::vector<std::string> webhooks;     // ids

  bool operator==(const Policy&) const = default;
};

// A notification that one webhook is still to get.
struct Delivery {
  std::int64_t sequence = 0;  // the store's; grows
  std::string webhook;        // id
  Timestamp created;
  std::string body;  // JSON, as it is sent

  bool operator==(const Delivery&) const = default;
};

}  // namespace simulcast::control
