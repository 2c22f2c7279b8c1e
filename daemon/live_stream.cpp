#include "daemon/live_stream.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "continuity/make_continuity.hpp"
#include "net/activity.hpp"
#include "repackage/make_repackager.hpp"

namespace simulcast::daemon {

using egress::StopMode;
using media::InputReason;

namespace {
// An encoder whose connection stands may be heard again at any moment, and then goes on without a seam.
constexpr std::chrono::milliseconds kSilencePatience{1000};
}  // namespace

LiveStream::LiveStream(std::string uid, net::Shard& shard, const egress::Environment& environment,
                       media::AudioWait& audio_wait, net::GatherRing* ring, RelayEvents& events,
                       continuity::Studio& studio, StreamSettings settings, std::function<void()> on_finished)
    : uid_(std::move(uid)),
      shard_(shard),
      environment_(environment),
      events_(events),
      settings_(std::move(settings)),
      on_finished_(std::move(on_finished)),
      fanout_(ring),
      slate_{&studio.slates, settings_.slate},
      stream_(repackage::make_repackager, &audio_wait, &fanout_,
              [this, &studio] { return continuity::make_continuity(slate_, studio.workshop); }),
      hold_timer_(shard.context()),
      fill_timer_(shard.context()),
      look_timer_(shard.context()) {}

LiveStream::~LiveStream() = default;

media::Stream& LiveStream::publisher_arrived(const ingest::Grant& grant, ingest::Publisher& publisher) {
  lease_ = grant.lease;
  if (publisher_ != nullptr) publisher_->kick("another encoder took over with the same stream key");
  publisher_ = &publisher;
  told_clock_jump_ = false;
  on_air_ = true;
  stop_holding();
  const bool srt = grant.protocol == media::IngestProtocol::srt;
  media::Trail trail = publisher.trail();
  trail.append(grant.mark);
  stream_.begin_publisher(srt ? media::PacketForm::mpegts : media::PacketForm::flv, std::move(trail));
  keep_filling();  // its first keyframe may be a while away
  events_.input_connected(uid_, shard_, grant.protocol);
  reconcile();
  return stream_;
}

bool LiveStream::publisher_silent(ingest::Publisher& publisher) {
  if (publisher_ != &publisher || !on_air_ || settings_.hold == std::chrono::milliseconds::zero())
    return false;
  if (holding_) return true;
  start_holding();
  fill_timer_.expires_after(kSilencePatience);
  fill_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec && holding_) begin_filling();
  });
  return true;
}

void LiveStream::publisher_heard(const ingest::Grant& grant, ingest::Publisher& publisher) {
  if (publisher_ != &publisher || !holding_) return;
  stop_holding();
  stream_.resume_publisher();
  events_.input_connected(uid_, shard_, grant.protocol);
}

void LiveStream::publisher_left(ingest::Publisher& publisher, bool goodbye) {
  if (publisher_ != &publisher) return;  // taken over
  publisher_ = nullptr;
  stream_.end_publisher();
  if (!on_air_) return finish_if_done();
  if ((goodbye && !settings_.hold_on_goodbye) || settings_.hold == std::chrono::milliseconds::zero()) {
    events_.input_disconnected(uid_, InputReason::client_disconnect, {});
    return end_show(StopMode::drain_then_end);
  }
  if (!holding_) start_holding();
  begin_filling();
}

void LiveStream::start_holding() {
  holding_ = true;
  holding_since_ = std::chrono::steady_clock::now();
  spdlog::info("stream holding input={} for_ms={}", uid_, settings_.hold.count());
  await_hold_end();
}

media::WallTime LiveStream::hold_ends_at() const {
  const auto left = holding_since_ + settings_.hold - std::chrono::steady_clock::now();
  return std::chrono::system_clock::now() + std::chrono::duration_cast<media::WallTime::duration>(left);
}

void LiveStream::await_hold_end() {
  const media::WallTime until = hold_ends_at();
  events_.input_disconnected(uid_, InputReason::reconnecting, until);
  for (auto& [uid, worker] : workers_) worker->hold(until);
  hold_timer_.expires_at(holding_since_ + settings_.hold);
  // This object is only destroyed by a handler posted after end_show() has cancelled the timer, so a wait
  // that is over always finds it alive.
  hold_timer_.async_wait([this](boost::system::error_code ec) {
    if (ec || !holding_) return;
    spdlog::info("stream hold is over input={}", uid_);
    events_.input_disconnected(uid_, InputReason::ttl_exceeded, {});
    stream_.end_publisher();  // its goodbye may have been lost on the way
    kick_publisher("nothing was heard of the encoder for too long");
    end_show(StopMode::drain_then_end);
  });
}

void LiveStream::stop_holding() {
  if (!holding_) return;
  holding_ = false;
  hold_timer_.cancel();
  fill_timer_.cancel();
  for (auto& [uid, worker] : workers_) worker->end_hold();
}

void LiveStream::begin_filling() {
  const net::Activity activity("making filler for an encoder that is away");
  stream_.begin_filling();
  keep_filling();
}

// Until a publisher's run has begun.
void LiveStream::keep_filling() {
  const net::Activity activity("sending filler for an encoder that is away");
  stream_.fill();
  if (!stream_.filling()) return;
  fill_timer_.expires_after(media::Stream::kFillPeriod);
  fill_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec && on_air_) keep_filling();
  });
}

void LiveStream::want(std::vector<egress::OutputSpec> outputs, const StreamSettings& settings) {
  const bool hold_changed = settings.hold != settings_.hold;
  settings_ = settings;
  slate_.file = settings.slate;
  if (holding_ && hold_changed) await_hold_end();
  wanted_.clear();
  for (auto& spec : outputs) {
    auto uid = spec.uid;
    wanted_.emplace(std::move(uid), std::move(spec));
  }
  reconcile();
}

void LiveStream::reconcile() {
  for (auto& [uid, worker] : workers_) {
    const auto spec = wanted_.find(uid);
    if (!on_air_) {
      worker->stop(stop_mode_);
    } else if (spec == wanted_.end() || spec->second != worker->spec()) {
      worker->stop(StopMode::end_now);  // a changed one is started again once this has ended
    }
  }
  if (!on_air_) return;
  for (const auto& [uid, spec] : wanted_) {
    if (workers_.contains(uid)) continue;
    egress::WorkerListener& listener = *this;
    auto worker =
        std::make_shared<egress::Worker>(spec, stream_, fanout_, environment_, listener, shard_.executor());
    workers_.emplace(uid, worker);
    worker->start();
    if (holding_) worker->hold(hold_ends_at());
  }
}

void LiveStream::kick_publisher(std::string_view reason) {
  if (publisher_ != nullptr) publisher_->kick(reason);
}

void LiveStream::end(std::string_view reason) {
  if (!on_air_) return;
  kick_publisher(reason);
  events_.input_disconnected(uid_, InputReason::client_disconnect, {});
  end_show(StopMode::end_now);
}

void LiveStream::shut_down() {
  kick_publisher("the relay is restarting");
  end_show(StopMode::hang_up);
}

void LiveStream::end_show(StopMode mode) {
  on_air_ = false;
  holding_ = false;
  hold_timer_.cancel();
  fill_timer_.cancel();
  look_timer_.cancel();
  stop_mode_ = mode;
  reconcile();
  finish_if_done();
}

void LiveStream::finish_if_done() {
  if (finished()) on_finished_();
}

void LiveStream::retry(const std::string& output_uid) {
  if (const auto worker = workers_.find(output_uid); worker != workers_.end()) worker->second->retry_now();
}

void LiveStream::collect_stats(ShardReport& into) {
  tell_clock_jumps();
  into.inputs.push_back({uid_, meter_.report(stream_)});
  look_again_if_wanted();
  for (auto& [uid, worker] : workers_) into.outputs.push_back({uid_, uid, worker->report()});
}

void LiveStream::look_again_if_wanted() {
  if (!on_air_ || !meter_.wants_another_look()) return;
  look_timer_.expires_after(InputMeter::kLookAgain);
  look_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec && on_air_) meter_.look_again(stream_);
  });
}

// Once for each publisher: one whose clock is broken may jump all the time.
void LiveStream::tell_clock_jumps() {
  const auto jumps = stream_.clock_jumps();
  if (std::exchange(clock_jumps_, jumps) == jumps || std::exchange(told_clock_jump_, true)) return;
  spdlog::warn("the encoder's clock jumped; the stream goes on without a gap input={}", uid_);
}

void LiveStream::output_changed(const egress::OutputSpec& spec, const media::OutputStatus& status,
                                const media::OutputStats& stats) {
  events_.output_changed(uid_, spec.uid, status, stats);
}

void LiveStream::worker_ended(const egress::OutputSpec& spec) {
  const std::string uid = spec.uid;  // the spec goes with the worker
  workers_.erase(uid);
  events_.output_ended(uid_, uid);
  reconcile();
  finish_if_done();
}

}  // namespace simulcast::daemon
