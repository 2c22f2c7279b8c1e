#include "control/api/outputs.hpp"

#include <spdlog/spdlog.h>

#include "control/api/context.hpp"
#include "control/api/output_members.hpp"
#include "control/api/representation.hpp"
#include "control/random_hex.hpp"

namespace simulcast::control {

namespace json = boost::json;

namespace {

json::object shown(Context& context, const Output& output) {
  return output_json(output, context.engine.output_status(output.input_uid, output.uid),
                     context.engine.output_stats(output.input_uid, output.uid),
                     context.engine.warnings_of(output.input_uid, output.uid));
}

[[noreturn]] void throw_no_output() {
  throw RequestError(Problem::not_found, "This live input has no output with this id");
}

Output find_output(Context& context, const Call& call) {
  const LiveInput input = find_input(context, call);
  auto output = context.store.output(input.uid, call.parameter("oid"));
  if (!output) throw_no_output();
  return *std::move(output);
}

}  // namespace

Response list_outputs(Context& context, const Call& call) {
  const LiveInput input = find_input(context, call);
  json::array items;
  for (const Output& output : context.store.outputs(input.uid)) items.push_back(shown(context, output));
  return success(std::move(items));
}

Response create_output(Context& context, const Call& call) {
  const json::object body = body_of(call.request);
  const auto key = idempotency_key(context, call.request);
  const LiveInput input = find_input(context, call);
  Findings findings;
  Output output;
  read_output_members(context.settings, body, true, output, findings);
  output.input_uid = input.uid;
  output.uid = random_hex(16);
  output.created = output.modified = context.settings.now();

  const unsigned limit = context.settings.outputs_per_input;
  const auto inserted = context.store.insert_output(output, limit, key);
  switch (inserted.outcome) {
    case InsertOutcome::inserted:
      spdlog::info("output created {}", ids_of(output));
      context.engine.wanted_changed(input.uid);
      break;
    case InsertOutcome::repeated:
      break;
    case InsertOutcome::gone:
      throw_used_key();
    case InsertOutcome::limit_reached:
      throw RequestError(
          Problem::too_many_outputs,
          fmt::format("This live input has {} outputs, as many as it may have; delete one first", limit));
    case InsertOutcome::no_input:
      throw_no_input();
  }
  return success(shown(context, *inserted.record), findings.notices);
}

Response get_output(Context& context, const Call& call) {
  return success(shown(context, find_output(context, call)));
}

Response update_output(Context& context, const Call& call) {
  const json::object body = body_of(call.request);
  Findings findings;
  const auto read = [&] { return find_output(context, call); };
  const Output output = edit(context, "output updated", call.parameter("uid"), read, [&](Output& wanted) {
    findings = {};
    read_output_members(context.settings, body, false, wanted, findings);
  });
  return success(shown(context, output), findings.notices);
}

Response retry_output(Context& context, const Call& call) {
  const Output output = find_output(context, call);
  context.engine.retry(output.input_uid, output.uid);
  return success(shown(context, output));
}

Response delete_output(Context& context, const Call& call) {
  const LiveInput input = find_input(context, call);
  const std::string& uid = call.parameter("oid");
  if (!context.store.delete_output(input.uid, uid)) throw_no_output();
  spdlog::info("output deleted input={} output={}", input.uid, uid);
  context.engine.wanted_changed(input.uid);
  return success("");
}

}  // namespace simulcast::control
