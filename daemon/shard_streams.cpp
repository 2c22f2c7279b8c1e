#include "daemon/shard_streams.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace simulcast::daemon {

ShardStreams::ShardStreams(net::Shard& shard, const egress::Environment& environment, RelayEvents& events,
                           continuity::Studio& studio, StreamSettings settings)
    : shard_(shard),
      environment_(environment),
      events_(events),
      studio_(studio),
      settings_(std::move(settings)),
      report_timer_(shard.context()),
      lag_timer_(shard.context()),
      audio_wait_(shard.executor(), environment.config.audio_wait),
      ring_(net::GatherRing::make()) {}

void ShardStreams::start() {
  report();
  watch_lag();
}

void ShardStreams::watch_lag() {
  lag_timer_.expires_after(kLagInterval);
  lag_timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) return;
    const auto late = std::chrono::steady_clock::now() - lag_timer_.expiry();
    loop_lag_ = std::max(loop_lag_, std::chrono::duration_cast<std::chrono::microseconds>(late));
    watch_lag();
  });
}

void ShardStreams::report() {
  ShardReport figures;
  figures.loop_lag = std::exchange(loop_lag_, {});
  for (auto& [uid, stream] : streams_) stream->collect_stats(figures);
  events_.shard_report(shard_.index(), std::move(figures));
  report_timer_.expires_after(kReportInterval);
  report_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) report();
  });
}

media::Stream& ShardStreams::publisher_arrived(const ingest::Grant& grant, ingest::Publisher& publisher) {
  auto& stream = streams_[grant.input_uid];
  if (!stream) {
    // The stream says that it is finished from inside one of its own calls: it is destroyed after that.
    const auto finished = [this, uid = grant.input_uid] {
      boost::asio::post(shard_.context(), [this, uid] { remove_finished(uid); });
    };
    stream = std::make_unique<LiveStream>(grant.input_uid, shard_, environment_, audio_wait_, ring_.get(),
                                          events_, studio_, settings_, finished);
  }
  return stream->publisher_arrived(grant, publisher);
}

void ShardStreams::publisher_left(const ingest::Grant& grant, ingest::Publisher& publisher, bool goodbye) {
  if (LiveStream* stream = find(grant.input_uid)) stream->publisher_left(publisher, goodbye);
}

LiveStream* ShardStreams::find(const std::string& uid) {
  const auto found = streams_.find(uid);
  return found == streams_.end() ? nullptr : found->second.get();
}

void ShardStreams::remove_finished(const std::string& uid) {
  const auto found = streams_.find(uid);
  if (found == streams_.end() || !found->second->finished()) return;
  streams_.erase(found);
  events_.stream_ended(uid);
  if (on_empty_ && streams_.empty()) on_empty_();
}

void ShardStreams::shut_down(std::function<void()> done) {
  report_timer_.cancel();
  lag_timer_.cancel();
  on_empty_ = std::move(done);
  if (streams_.empty()) return on_empty_();
  for (auto& [uid, stream] : streams_) stream->shut_down();
}

}  // namespace simulcast::daemon
