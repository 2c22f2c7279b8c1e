// The composition root: builds every part, wires them, starts and stops them. Nothing here decides anything
// about media.
//
// Made and run by main() on the thread that becomes the control thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "continuity/studio.hpp"
#include "control/api/access_tokens.hpp"
#include "daemon/input_directory.hpp"
#include "daemon/publisher_gate.hpp"
#include "daemon/relay.hpp"
#include "daemon/shard_streams.hpp"
#include "daemon/spare_memory.hpp"
#include "egress/output_spec.hpp"
#include "egress/srt_sink.hpp"
#include "ingest/rtmp_server.hpp"
#include "ingest/srt_server.hpp"
#include "ingest/strangers.hpp"
#include "net/dial.hpp"
#include "net/loop_watch.hpp"
#include "net/shard.hpp"
#include "net/srt_handshakes.hpp"
#include "net/srt_runtime.hpp"

namespace simulcast::control {
class Api;
class EventStream;
class HttpServer;
class Metrics;
class MetricsPage;
class Notifier;
class SqliteNotifications;
class SqliteStore;
class WebhookClient;
}  // namespace simulcast::control

namespace simulcast::daemon {

class Application {
 public:
  // How long outputs get to hang up when the daemon stops.
  static constexpr std::chrono::milliseconds kStopTimeout{1500};
  // How often all is looked after, at least.
  static constexpr std::chrono::seconds kWatch{1};

  // Opens state, store and listeners; throws std::runtime_error with the cause in one sentence. `config_file`
  // is read again on SIGHUP; empty: the daemon runs on defaults.
  Application(config::Config config, std::filesystem::path config_file);
  ~Application();

  // Until SIGTERM or SIGINT.
  void run();
  // A name is still being looked up, which cannot be called off: better not to wait for it.
  bool is_resolving() const { return resolver_.busy(); }

 private:
  std::vector<config::Token> current_tokens(const config::Config& config) const;
  void open_ingest();
  void open_notifications();
  void open_control();
  void open_metrics();
  // None when the name is not found.
  boost::asio::awaitable<std::vector<boost::asio::ip::address>> addresses_of(std::string host);
  void wait_for_signal();
  void reload();
  void renew_certificates(const config::Config& fresh);
  void stop();
  void shard_is_empty();
  void keep_watch();
  void watch_loops();

  config::Config config_;
  config::Config as_loaded_;  // config_ before anything was filled in: what a reload is compared with
  const std::filesystem::path config_file_;
  boost::asio::io_context control_{1};
  boost::asio::signal_set signals_{control_};
  boost::asio::steady_timer stop_timer_{control_};
  boost::asio::steady_timer watch_timer_{control_};
  bool told_stalled_ = false;
  SpareMemory spare_memory_;
  std::size_t shards_busy_ = 0;  // while stopping

  // In the order in which they may refer to each other; destroyed from the end, after the shards' threads
  // have ended.
  net::Resolver resolver_;
  net::SrtRuntime srt_;
  net::SrtHandshakes srt_handshakes_{egress::kCallersOfOutputs};
  std::unique_ptr<control::SqliteStore> store_;
  std::optional<egress::Environment> environment_;
  continuity::Studio studio_;
  ingest::Strangers strangers_;
  net::ShardPool shards_;
  InputDirectory directory_;
  std::unique_ptr<Relay> relay_;
  std::vector<std::unique_ptr<ShardStreams>> streams_;  // by shard
  PublisherGate gate_;
  std::vector<std::unique_ptr<ingest::RtmpServer>> servers_;
  std::unique_ptr<ingest::SrtServer> srt_server_;

  std::optional<control::AccessTokens> tokens_;
  std::unique_ptr<control::Metrics> metrics_;
  std::unique_ptr<control::SqliteNotifications> notifications_;
  std::unique_ptr<control::WebhookClient> webhook_client_;
  std::unique_ptr<control::Notifier> notifier_;
  std::unique_ptr<control::EventStream> events_;
  std::unique_ptr<control::Api> api_;
  std::unique_ptr<control::HttpServer> http_;
  std::unique_ptr<control::MetricsPage> metrics_page_;
  std::unique_ptr<control::HttpServer> metrics_http_;  // the listener of control.metrics
  net::LoopWatch loop_watch_;
};

}  // namespace simulcast::daemon
