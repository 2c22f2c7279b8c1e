#include "daemon/relay.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "media/cut_text.hpp"

namespace simulcast::daemon {

namespace asio = boost::asio;
using media::InputReason;
using media::OutputState;

namespace {

media::WallTime now() {
  return std::chrono::system_clock::now();
}

void show(media::OutputStatus& status, OutputState state) {
  if (status.state == state) return;
  status = {};
  status.state = state;
  status.since = now();
}

egress::OutputSpec spec_of(const control::Output& output) {
  return {output.input_uid, output.uid, output.url, output.stream_key, output.verify_tls};
}

std::string name_of(const control::LiveInput& input) {
  const auto* name = input.meta.if_contains("name");
  if (name == nullptr || !name->is_string()) return {};
  return std::string(media::cut_text(name->get_string(), control::InputSnapshot::kMaxName));
}

// The API's recording.timeoutSeconds is how long the show of an input survives its encoder; 0 leaves it to
// the configuration.
StreamSettings settings_of(const control::LiveInput& input, const StreamSettings& defaults) {
  StreamSettings settings = defaults;
  if (input.recording.timeout_seconds > 0) {
    settings.hold = std::min<std::chrono::milliseconds>(std::chrono::seconds{input.recording.timeout_seconds},
                                                        StreamSettings::kLongestHold);
  }
  if (const auto* wish = input.meta.if_contains("holdOnGoodbye"); wish != nullptr && wish->is_bool()) {
    settings.hold_on_goodbye = wish->get_bool();
  }
  // A picture beside the one of the configuration: the API reaches no other file.
  if (const auto* name = input.meta.if_contains("slate"); name != nullptr && name->is_string()) {
    constexpr std::size_t kLongestName = 255;  // of a file, anywhere
    const std::filesystem::path file(std::string(media::cut_text(name->get_string(), kLongestName)));
    if (!settings.slate.empty() && !file.empty() && file.filename() == file)
      settings.slate.replace_filename(file);
  }
  return settings;
}

// A destination that is tried out on a shard for somebody on the control thread. Asio itself would emit a
// cancellation across threads with a pointer to what may be gone by then.
struct Probing {
  explicit Probing(asio::io_context& control) : done(control, asio::steady_timer::time_point::max()) {}

  asio::cancellation_signal give_up;  // the shard's
  // The control thread's.
  asio::steady_timer done;  // cancelled when it has ended
  std::exception_ptr error;
  media::OutputTest test;
};

}  // namespace

Relay::Relay(asio::io_context& control, control::Store& store, std::string account, InputDirectory& directory,
             std::size_t shards, StreamSettings defaults, inspect::PlatformRules rules)
    : control_(control),
      store_(store),
      account_(std::move(account)),
      directory_(directory),
      defaults_(std::move(defaults)),
      rules_(std::move(rules)),
      last_report_(shards, std::chrono::steady_clock::now()),
      shards_(shards) {}

void Relay::load() {
  for (const auto& wanted : store_.everything(account_)) take_wanted(wanted.input, wanted.outputs);
}

void Relay::wanted_changed(std::string_view input_uid) {
  const std::string uid(input_uid);
  reconcile(uid);
  for (auto* listener : listeners_) listener->wanted_changed(uid);
}

void Relay::reconcile(const std::string& uid) {
  try {
    if (const auto wanted = store_.input(account_, uid)) {
      take_wanted(*wanted, store_.outputs(uid));
    } else {
      forget(uid);
    }
  } catch (const control::StoreError& error) {
    // What runs goes on as it is; the next poke tries again.
    spdlog::error("store cannot be read input={} cause=\"{}\"", uid, error.what());
  }
}

template <class Work>
void Relay::on_stream(const Input& input, const std::string& uid, Work work) {
  if (input.shard == nullptr) return;
  asio::post(input.shard->context(),
             [streams = (*streams_)[input.shard->index()].get(), uid, work = std::move(work)] {
               if (LiveStream* stream = streams->find(uid)) work(*stream);
             });
}

void Relay::take_wanted(const control::LiveInput& wanted, const std::vector<control::Output>& outputs) {
  const auto change =
      directory_.set(wanted.uid, {wanted.stream_key(), wanted.srt_passphrase()}, wanted.enabled);
  Input& input = inputs_[wanted.uid];
  input.name = name_of(wanted);

  std::vector<egress::OutputSpec> specs;
  std::map<std::string, Output, std::less<>> kept;
  for (const auto& output : outputs) {
    Output& mine = kept[output.uid] = std::move(input.outputs[output.uid]);
    const media::OutputStatus before = mine.status;
    mine.name = output.name;
    mine.url = output.url;
    mine.enabled = output.enabled;
    // Until the shard has answered, the API already shows the new wish.
    if (mine.at_work) {
      if (!output.enabled) show(mine.status, OutputState::stopping);
    } else if (!output.enabled) {
      show(mine.status, OutputState::disabled);
    } else {
      show(mine.status, input.on_air ? OutputState::connecting : OutputState::idle);
    }
    if (mine.status.since == media::WallTime{}) mine.status.since = now();
    tell(wanted.uid, output.uid, before, mine.status);
    if (output.enabled) specs.push_back(spec_of(output));
  }
  input.outputs = std::move(kept);

  if (!wanted.enabled) {
    on_stream(input, wanted.uid, [](LiveStream& stream) { stream.end("this live input was disabled"); });
    return;
  }
  on_stream(input, wanted.uid,
            [specs = std::move(specs), settings = settings_of(wanted, defaults_),
             rotated = change.rotated](LiveStream& stream) {
              if (rotated) stream.kick_publisher("the stream key was changed");
              stream.want(specs, settings);
            });
}

void Relay::forget(const std::string& uid) {
  directory_.remove(uid);
  const auto input = inputs_.find(uid);
  if (input == inputs_.end()) return;
  on_stream(input->second, uid, [](LiveStream& stream) { stream.end("this live input was deleted"); });
  if (input->second.shard == nullptr) {
    inputs_.erase(input);
    reports_.erase(uid);
    ++input_changes_;
  } else {
    input->second.outputs.clear();
  }
}

control::InputReport& Relay::enter(const std::string& uid, bool connected, InputReason reason) {
  const auto [found, is_first] = reports_.try_emplace(uid);
  auto& [current, history] = found->second;
  if (!is_first) {
    history.insert(history.begin(), current);
    if (history.size() > control::InputReport::kHistory) history.pop_back();
  }
  current.connected = connected;
  current.reason = reason;
  current.hold_ends_at.reset();
  current.entered_at = current.last_seen = now();
  return found->second;
}

void Relay::tell(const std::string& uid) {
  ++input_changes_;
  for (auto* listener : listeners_) listener->input_changed(uid, reports_.at(uid).current);
}

void Relay::tell(const std::string& input_uid, const std::string& output_uid,
                 const media::OutputStatus& before, const media::OutputStatus& status) {
  if (before == status) return;
  for (auto* listener : listeners_) listener->output_changed(input_uid, output_uid, status);
}

std::optional<control::InputReport> Relay::input_status(std::string_view input_uid) const {
  const auto found = reports_.find(input_uid);
  if (found == reports_.end()) return std::nullopt;
  auto report = found->second;
  if (report.current.connected) report.current.last_seen = now();
  return report;
}

const Relay::Output* Relay::find(std::string_view input_uid, std::string_view output_uid) const {
  const auto input = inputs_.find(input_uid);
  if (input == inputs_.end()) return nullptr;
  const auto output = input->second.outputs.find(output_uid);
  return output == input->second.outputs.end() ? nullptr : &output->second;
}

media::OutputStatus Relay::output_status(std::string_view input_uid, std::string_view output_uid) const {
  const Output* output = find(input_uid, output_uid);
  return output != nullptr ? output->status : media::OutputStatus{};
}

media::OutputStats Relay::output_stats(std::string_view input_uid, std::string_view output_uid) const {
  const Output* output = find(input_uid, output_uid);
  return output != nullptr ? output->stats : media::OutputStats{};
}

std::optional<media::InputStats> Relay::input_stats(std::string_view input_uid) const {
  const auto input = inputs_.find(input_uid);
  return input == inputs_.end() ? std::nullopt : input->second.stats;
}

std::vector<media::Warning> Relay::warnings_of(const Input& input, const Output& output) const {
  return rules_.check(output.url, input.stats ? &*input.stats : nullptr);
}

std::vector<media::Warning> Relay::warnings_of(std::string_view input_uid,
                                               std::string_view output_uid) const {
  const auto input = inputs_.find(input_uid);
  const Output* output = find(input_uid, output_uid);
  if (input == inputs_.end() || output == nullptr) return {};
  return warnings_of(input->second, *output);
}

control::InputSnapshot Relay::snapshot_of(const std::string& uid, const Input& input) const {
  control::InputSnapshot shown{
      .uid = uid, .name = input.name, .status = {}, .stats = input.stats, .outputs = {}};
  if (const auto report = input_status(uid)) shown.status = report->current;
  shown.outputs.reserve(input.outputs.size());
  for (const auto& [output_uid, output] : input.outputs) {
    shown.outputs.push_back({output_uid, output.name, output.status, output.stats});
  }
  return shown;
}

std::vector<control::InputSnapshot> Relay::snapshot(Which which) const {
  std::vector<control::InputSnapshot> all;
  for (const auto& [uid, input] : inputs_) {
    if (which == Which::all || input.shard != nullptr) all.push_back(snapshot_of(uid, input));
  }
  return all;
}

std::optional<control::InputSnapshot> Relay::snapshot_of(std::string_view input_uid) const {
  const auto input = inputs_.find(input_uid);
  if (input == inputs_.end()) return std::nullopt;
  return snapshot_of(input->first, input->second);
}

void Relay::retry(std::string_view input_uid, std::string_view output_uid) {
  const auto input = inputs_.find(input_uid);
  if (input == inputs_.end()) return;
  on_stream(input->second, input->first,
            [output = std::string(output_uid)](LiveStream& stream) { stream.retry(output); });
}

asio::awaitable<media::OutputTest> Relay::test_output(std::string url, std::string stream_key,
                                                      bool verify_tls) {
  egress::OutputSpec spec;
  spec.url = std::move(url);
  spec.stream_key = std::move(stream_key);
  spec.verify_tls = verify_tls;
  ShardStreams& streams = *streams_->front();
  auto probing = std::make_shared<Probing>(control_);
  auto probe = streams.probe(std::move(spec));
  const auto ended = [this, probing](std::exception_ptr error, media::OutputTest test) {
    asio::post(control_, [probing, error = std::move(error), test = std::move(test)]() mutable {
      probing->error = std::move(error);
      probing->test = std::move(test);
      probing->done.cancel();
    });
  };
  asio::co_spawn(streams.executor(), std::move(probe),
                 asio::bind_cancellation_slot(probing->give_up.slot(), ended));
  co_await probing->done.async_wait(asio::as_tuple(asio::use_awaitable));
  const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
  if (cancelled != asio::cancellation_type::none) {
    asio::post(streams.executor(), [probing] { probing->give_up.emit(asio::cancellation_type::terminal); });
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  if (probing->error) std::rethrow_exception(probing->error);
  co_return std::move(probing->test);
}

std::string Relay::readiness_problem() const {
  const auto time = std::chrono::steady_clock::now();
  const auto stalled =
      std::ranges::find_if(last_report_, [&](auto last) { return time - last > kShardStalled; });
  if (stalled == last_report_.end()) return {};
  return "shard " + std::to_string(stalled - last_report_.begin()) + " does not answer";
}

void Relay::input_connected(const std::string& uid, net::Shard& shard, media::IngestProtocol protocol) {
  asio::post(control_, [this, uid, &shard, protocol] {
    Input& input = inputs_[uid];
    input.shard = &shard;
    input.on_air = true;
    const bool is_back = reports_.contains(uid);
    enter(uid, true, is_back ? InputReason::reconnected : InputReason::connected).current.protocol = protocol;
    tell(uid);
    reconcile(uid);
  });
}

void Relay::input_disconnected(const std::string& uid, InputReason reason,
                               std::optional<media::WallTime> hold_ends_at) {
  asio::post(control_, [this, uid, reason, hold_ends_at] {
    const auto input = inputs_.find(uid);
    if (input == inputs_.end()) return;
    input->second.on_air = hold_ends_at.has_value();
    const auto before = reports_.find(uid);
    const bool is_new = before == reports_.end() || before->second.current.connected ||
                        before->second.current.reason != reason;
    auto& report = is_new ? enter(uid, false, reason) : before->second;
    report.current.hold_ends_at = hold_ends_at;
    tell(uid);
  });
}

void Relay::stream_ended(const std::string& uid) {
  asio::post(control_, [this, uid] {
    const auto input = inputs_.find(uid);
    if (input == inputs_.end() || input->second.on_air) return;
    input->second.shard = nullptr;
    input->second.stats.reset();
    reconcile(uid);  // lets go of an input that was deleted meanwhile
  });
}

void Relay::output_changed(const std::string& input_uid, const std::string& output_uid,
                           const media::OutputStatus& status, const media::OutputStats& stats) {
  asio::post(control_, [this, input_uid, output_uid, status, stats] {
    const auto input = inputs_.find(input_uid);
    if (input == inputs_.end()) return;
    const auto output = input->second.outputs.find(output_uid);
    if (output == input->second.outputs.end()) return;  // deleted
    output->second.at_work = true;
    output->second.stats = stats;
    // What was shown ahead stays until the worker has caught up with the wish.
    if (!output->second.enabled && status.state != OutputState::stopping) return;
    tell(input_uid, output_uid, std::exchange(output->second.status, status), status);
  });
}

void Relay::output_ended(const std::string& input_uid, const std::string& output_uid) {
  asio::post(control_, [this, input_uid, output_uid] {
    const auto input = inputs_.find(input_uid);
    if (input == inputs_.end()) return;
    const auto output = input->second.outputs.find(output_uid);
    if (output == input->second.outputs.end()) return;
    output->second.at_work = false;
    output->second.stats.bitrate = 0;
    output->second.stats.queue = {};
    output->second.stats.connected_at.reset();
    const media::OutputStatus before = output->second.status;
    show(output->second.status, !output->second.enabled ? OutputState::disabled
                                : input->second.on_air  ? OutputState::connecting
                                                        : OutputState::idle);
    tell(input_uid, output_uid, before, output->second.status);
  });
}

void Relay::shard_report(unsigned shard, ShardReport report) {
  asio::post(control_, [this, shard, report = std::move(report)] {
    last_report_[shard] = std::chrono::steady_clock::now();
    shards_[shard].loop_lag = report.loop_lag;
    for (const auto& [uid, stats] : report.inputs) {
      const auto input = inputs_.find(uid);
      if (input == inputs_.end() || input->second.shard == nullptr) continue;
      input->second.stats = stats;
      for (auto& [output_uid, output] : input->second.outputs) {
        if (output.status.state != OutputState::live) continue;
        output.warning_log.note(uid, output_uid, warnings_of(input->second, output));
      }
    }
    for (const auto& [input_uid, output_uid, stats] : report.outputs) {
      const auto input = inputs_.find(input_uid);
      if (input == inputs_.end()) continue;
      const auto output = input->second.outputs.find(output_uid);
      if (output != input->second.outputs.end()) output->second.stats = stats;
    }
  });
}

}  // namespace simulcast::daemon
