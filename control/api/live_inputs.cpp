#include "control/api/live_inputs.hpp"

#include <spdlog/spdlog.h>

#include <boost/json/serialize.hpp>

#include "config/api_nesting.hpp"
#include "control/api/context.hpp"
#include "control/api/members.hpp"
#include "control/api/nesting.hpp"
#include "control/api/representation.hpp"
#include "control/random_hex.hpp"

namespace simulcast::control {

namespace json = boost::json;

namespace {

constexpr std::int64_t kMinRetentionDays = 30;
constexpr std::int64_t kMaxRetentionDays = 1096;
constexpr std::int64_t kMaxTimeoutSeconds = 0x7FFFFFFF;  // what clients hold in an int
constexpr std::size_t kMaxCreator = 255;
constexpr std::size_t kMaxOrigin = 255;  // a host name, perhaps with a port
constexpr std::size_t kMaxOrigins = 1000;

// null takes away what may be absent (meta, defaultCreator, deleteRecordingAfterDays, allowedOrigins);
// anywhere else it is of the wrong type.
void apply_recording(const json::object& object, Recording& recording, Findings& findings) {
  Members members(object, findings, "/recording");
  if (auto mode = members.one_of("mode", {"off", "automatic"})) recording.mode = *std::move(mode);
  if (const auto seconds = members.whole_number("timeoutSeconds", 0, kMaxTimeoutSeconds)) {
    recording.timeout_seconds = *seconds;
  }
  if (const auto signed_urls = members.boolean("requireSignedURLs"))
    recording.require_signed_urls = *signed_urls;
  if (members.is_null("allowedOrigins")) {
    recording.allowed_origins.reset();
  } else if (auto origins = members.texts("allowedOrigins", kMaxOrigin, kMaxOrigins)) {
    recording.allowed_origins = *std::move(origins);
  }
  if (const auto hide = members.boolean("hideLiveViewerCount")) recording.hide_live_viewer_count = *hide;
  members.report_unknown();
}

// Absent members change nothing.
void apply(const json::object& body, LiveInput& input, Findings& findings) {
  Members members(body, findings);
  if (members.is_null("meta")) {
    input.meta.clear();
  } else if (const json::object* meta = members.object("meta")) {
    if (nesting_of(*meta) > config::kMaxMetaNesting) {
      findings.add(Problem::bad_value,
                   fmt::format("\"meta\" must not nest more than {} levels of objects and arrays",
                               config::kMaxMetaNesting),
                   members.pointer_to("meta"));
    } else {
      input.meta = *meta;
    }
  }
  if (const auto enabled = members.boolean("enabled")) input.enabled = *enabled;
  if (members.is_null("defaultCreator")) {
    input.default_creator.clear();
  } else if (auto creator = members.text("defaultCreator", kMaxCreator)) {
    input.default_creator = *std::move(creator);
  }
  if (members.is_null("deleteRecordingAfterDays")) {
    input.delete_recording_after_days.reset();
  } else if (const auto days = members.whole_number("deleteRecordingAfterDays", kMinRetentionDays,
                                                    kMaxRetentionDays, Problem::bad_retention)) {
    input.delete_recording_after_days = *days;
  }
  if (const auto low_latency = members.boolean("preferLowLatency")) input.prefer_low_latency = *low_latency;
  if (const json::object* recording = members.object("recording")) {
    apply_recording(*recording, input.recording, findings);
  }
  members.report_unknown();
  findings.throw_if_faulty();
}

void make_keys(LiveInput& input) {
  constexpr std::size_t kSecretBytes = 16;
  input.rtmp_secret = random_hex(kSecretBytes);
  input.srt_secret = random_hex(kSecretBytes);
  input.rtmp_playback_secret = random_hex(kSecretBytes);
  input.srt_playback_secret = random_hex(kSecretBytes);
}

json::object shown(Context& context, const LiveInput& input) {
  return live_input_json(input, context.engine.input_status(input.uid), context.engine.input_stats(input.uid),
                         context.settings.addresses);
}

template <class Change>
LiveInput edit_input(Context& context, const Call& call, std::string_view event, Change change) {
  const auto read = [&] { return find_input(context, call); };
  context.inputs.changed(call.parameter("uid"));
  return edit(context, event, call.parameter("uid"), read, change);
}

Response set_enabled(Context& context, const Call& call, bool enabled) {
  const char* event = enabled ? "live input enabled" : "live input disabled";
  const LiveInput input =
      edit_input(context, call, event, [&](LiveInput& wanted) { wanted.enabled = enabled; });
  return success(shown(context, input));
}

}  // namespace

// include_counts is accepted and changes nothing: the answer is always the object with the counts.
Response list_inputs(Context& context, const Call&) {
  return {.status = 200,
          .body = {},
          .headers = {},
          .shared = context.inputs.answer(context.store, context.engine, context.settings.account,
                                          context.settings.now())};
}

Response create_input(Context& context, const Call& call) {
  const json::object body = body_of(call.request);
  const auto key = idempotency_key(context, call.request);
  Findings findings;
  LiveInput input;
  apply(body, input, findings);
  input.account = context.settings.account;
  input.uid = random_hex(16);
  input.created = input.modified = context.settings.now();
  make_keys(input);

  const auto inserted = context.store.insert_input(input, key);
  if (inserted.outcome == InsertOutcome::gone) throw_used_key();
  if (inserted.outcome == InsertOutcome::inserted) {
    spdlog::info("live input created {}", ids_of(input));
    context.inputs.changed(input.uid);
    context.engine.wanted_changed(input.uid);
  }
  return success(shown(context, *inserted.record), findings.notices);
}

Response get_input(Context& context, const Call& call) {
  return success(shown(context, find_input(context, call)));
}

Response update_input(Context& context, const Call& call) {
  const json::object body = body_of(call.request);
  Findings findings;
  const LiveInput input = edit_input(context, call, "live input updated", [&](LiveInput& wanted) {
    findings = {};
    apply(body, wanted, findings);
  });
  return success(shown(context, input), findings.notices);
}

Response delete_input(Context& context, const Call& call) {
  const std::string& uid = call.parameter("uid");
  if (!context.store.delete_input(context.settings.account, uid)) throw_no_input();
  spdlog::info("live input deleted input={}", uid);
  context.inputs.changed(uid);
  context.engine.wanted_changed(uid);
  return success("");
}

Response enable_input(Context& context, const Call& call) {
  return set_enabled(context, call, true);
}

Response disable_input(Context& context, const Call& call) {
  return set_enabled(context, call, false);
}

Response rotate_input_keys(Context& context, const Call& call) {
  const LiveInput input = edit_input(context, call, "live input keys rotated", [&](LiveInput& wanted) {
    make_keys(wanted);
    wanted.keys_rotated_at = context.settings.now();
  });
  return success(shown(context, input));
}

Response list_input_videos(Context& context, const Call& call) {
  find_input(context, call);
  return success(json::array());
}

// Without the envelope, as players of the original expect it.
Response get_lifecycle(Context& context, const Call& call) {
  const LiveInput input = find_input(context, call);
  const auto report = context.engine.input_status(input.uid);
  const bool live = report && report->current.connected;
  const json::object body{{"isInput", true}, {"videoUID", nullptr}, {"live", live}};
  return {.status = 200, .body = json::serialize(body), .headers = {}};
}

}  // namespace simulcast::control
