// What the handlers work with, and the few steps that most of them share. Control thread.
#pragma once

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "control/api/api.hpp"
#include "control/api/input_list.hpp"
#include "control/http/router.hpp"

namespace simulcast::control {

struct Context {
  const ApiSettings& settings;
  Store& store;
  Engine& engine;
  const AccessTokens& tokens;
  ApiParts parts;
  InputList inputs = {};
  // Of outputs; each test counts itself, and may end after the API.
  std::shared_ptr<std::size_t> tests_under_way = std::make_shared<std::size_t>(0);
  std::optional<Timestamp> last_good_write = {};  // of the store's check, see health.cpp
};

// The body as an object; an absent one counts as {}. Throws RequestError.
boost::json::object body_of(const Request& request);

// The input that the path names. Throws RequestError when there is none.
LiveInput find_input(Context& context, const Call& call);
[[noreturn]] void throw_no_input();

// The Idempotency-Key header, if any. Throws RequestError when it is too long or empty.
std::optional<IdempotencyKey> idempotency_key(Context& context, const Request& request);
[[noreturn]] void throw_used_key();

inline bool update(Store& store, const LiveInput& input) {
  return store.update_input(input);
}
inline bool update(Store& store, const Output& output) {
  return store.update_output(output);
}

inline std::string ids_of(const LiveInput& input) {
  return "input=" + input.uid;
}
inline std::string ids_of(const Output& output) {
  return "input=" + output.input_uid + " output=" + output.uid;
}

// Reads a record, changes it and writes it back; again from the start if somebody else has written it
// meanwhile. What is the same as before is not written, so its `modified` stays. `read` throws when the
// record is not there.
template <class Read, class Change>
auto edit(Context& context, std::string_view event, const std::string& input_uid, Read read, Change change) {
  constexpr int kMaxAttempts = 10;  // each lost race means that somebody else got their write through
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    auto before = read();
    auto after = before;
    change(after);
    if (after == before) return before;
    after.modified = std::max(context.settings.now(), before.modified + std::chrono::microseconds(1));
    if (update(context.store, after)) {
      spdlog::info("{} {}", event, ids_of(after));
      context.engine.wanted_changed(input_uid);
      return after;
    }
  }
  throw StoreError("a record was changed by others each time it was to be written");
}

}  // namespace simulcast::control
