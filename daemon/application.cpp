#include "daemon/application.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "config/load.hpp"
#include "config/platforms.hpp"
#include "config/state_files.hpp"
#include "config/values.hpp"
#include "control/api/api.hpp"
#include "control/api/event_stream.hpp"
#include "control/api/metrics.hpp"
#include "control/api/observers.hpp"
#include "control/api/public_addresses.hpp"
#include "control/http/server.hpp"
#include "control/notifications/notifier.hpp"
#include "control/notifications/webhook_client.hpp"
#include "control/store/sqlite_notifications.hpp"
#include "control/store/sqlite_store.hpp"
#include "daemon/identity.hpp"
#include "daemon/logging.hpp"
#include "daemon/service_notify.hpp"
#include "net/activity.hpp"
#include "net/endpoint_text.hpp"
#include "net/tls.hpp"

namespace simulcast::daemon {

namespace asio = boost::asio;

namespace {

constexpr int kControlNice = 5;
std::vector<config::Token> read_tokens(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("tokens_file " + file.string() + " cannot be read");
  std::vector<config::Token> tokens;
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    try {
      tokens.push_back({config::parse_token(line), {}, false});
    } catch (const config::BadValue& bad) {
      throw std::runtime_error("a line of tokens_file " + file.string() + " " + bad.what());
    }
  }
  if (tokens.empty()) throw std::runtime_error("tokens_file " + file.string() + " has no token in it");
  return tokens;
}

// What differs and is only read at start-up.
std::vector<std::string_view> changes_that_wait(const config::Config& old, const config::Config& fresh) {
  std::vector<std::string_view> names;
  const auto compare = [&](std::string_view name, bool same) {
    if (!same) names.push_back(name);
  };
  compare("state_dir", old.state_dir == fresh.state_dir);
  compare("public_host", old.public_host == fresh.public_host);
  compare("account", old.account == fresh.account);
  compare("control.listen", old.control.listen == fresh.control.listen);
  compare("control.hosts", old.control.hosts == fresh.control.hosts);
  compare("control.metrics", old.control.metrics == fresh.control.metrics);
  // Another certificate does not wait, only whether there is one.
  compare("control.tls", old.control.tls.has_value() == fresh.control.tls.has_value());
  config::Ingest ingest = old.ingest;
  if (ingest.rtmps && fresh.ingest.rtmps) ingest.rtmps->certificate = fresh.ingest.rtmps->certificate;
  compare("ingest", ingest == fresh.ingest);
  compare("stream", old.stream == fresh.stream);
  compare("egress", old.egress == fresh.egress);
  compare("limits.outputs_per_input", old.outputs_per_input == fresh.outputs_per_input);
  compare("limits.requests_per_second", old.requests_per_second == fresh.requests_per_second);
  compare("limits.strangers",
          old.strangers_per_address == fresh.strangers_per_address && old.strangers == fresh.strangers);
  compare("log.format", old.log.format == fresh.log.format);
  compare("threads", old.threads == fresh.threads);
  return names;
}

void tell_held_loop(const net::LoopWatch::Held& held) {
  spdlog::warn("an event loop was held loop={} ms={} at_work_ms={} by=\"{}\" times={}", held.loop,
               held.held.count(), held.at_work.count(), held.activity, held.times);
}

}  // namespace

Application::Application(config::Config config, std::filesystem::path config_file)
    : config_(std::move(config)),
      as_loaded_(config_),
      config_file_(std::move(config_file)),
      strangers_({config_.strangers_per_address, config_.strangers}),
      shards_(config_.threads),
      directory_(shards_),
      gate_(directory_, streams_),
      loop_watch_(tell_held_loop) {
  prepare_state_dir(config_.state_dir);
  // The store first: a crash of the very first start leaves no sign of an earlier one beside an empty file.
  store_ = std::make_unique<control::SqliteStore>(config_.state_dir / "simulcastd.db",
                                                  has_been_used(config_.state_dir));
  if (config_.account.empty()) config_.account = account_id(config_.state_dir);
  tokens_.emplace(current_tokens(config_));
  environment_.emplace(egress::Environment{resolver_, net::TlsContext::client(config_.egress.ca_file), srt_,
                                           srt_handshakes_, config_.egress});
  const StreamSettings defaults{.hold = config_.stream.hold,
                                .hold_on_goodbye = config_.stream.hold_on_goodbye,
                                .slate = config_.stream.slate};
  relay_ = std::make_unique<Relay>(control_, *store_, config_.account, directory_, shards_.size(), defaults,
                                   inspect::PlatformRules(config::load_platforms(config_.egress.platforms)));
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    streams_.push_back(std::make_unique<ShardStreams>(shards_[i], *environment_, *relay_, studio_, defaults));
  }
  relay_->set_streams(streams_);
  open_ingest();
  relay_->load();
  metrics_ = std::make_unique<control::Metrics>(*relay_);
  store_->on_call([this](std::chrono::duration<double> took) { metrics_->store_called(took); });
  open_notifications();
  open_control();
  open_metrics();
}

Application::~Application() {
  loop_watch_.stop();
  if (http_) http_->stop();
  if (metrics_http_) metrics_http_->stop();
  for (auto& shard : shards_) shard->stop();
  for (auto& shard : shards_) shard->join();
  // With the threads gone, whatever is still open goes before the parts that it refers to.
  servers_.clear();
  srt_server_.reset();
  streams_.clear();
  shards_.clear();
}

std::vector<config::Token> Application::current_tokens(const config::Config& config) const {
  std::vector<config::Token> tokens = config.control.tokens;
  if (!config.control.tokens_file.empty()) {
    for (auto& token : read_tokens(config.control.tokens_file)) tokens.push_back(std::move(token));
  }
  if (tokens.empty()) {
    tokens.push_back({api_token(config.state_dir), {}, false});
    spdlog::info("api token is kept in file={}", config::token_file(config.state_dir).string());
  }
  return tokens;
}

void Application::open_ingest() {
  const auto open = [this](const config::Listen& listen, std::shared_ptr<net::TlsContext> tls) {
    servers_.push_back(std::make_unique<ingest::RtmpServer>(shards_, gate_, strangers_, std::move(tls)));
    servers_.back()->open(listen);
  };
  if (config_.ingest.rtmp) open(config_.ingest.rtmp->listen, nullptr);
  if (config_.ingest.rtmps) {
    const auto& certificate = config_.ingest.rtmps->certificate;
    open(config_.ingest.rtmps->listen, net::TlsContext::server(certificate.certificate, certificate.key));
  }
  if (config_.ingest.srt) {
    srt_server_ = std::make_unique<ingest::SrtServer>(srt_, shards_, gate_, *config_.ingest.srt);
    srt_server_->open();
  }
}

void Application::open_notifications() {
  notifications_ = std::make_unique<control::SqliteNotifications>(store_->database());
  webhook_client_ =
      std::make_unique<control::WebhookClient>(resolver_, *environment_->tls, config_.egress.deny);
  control::WebhookDelivery::Settings settings;
  settings.account = config_.account;
  notifier_ = std::make_unique<control::Notifier>(
      control_.get_executor(), *relay_, *notifications_,
      [this](control::WebhookRequest request) { return webhook_client_->post(std::move(request)); },
      std::move(settings));
  notifier_->start();
}

void Application::open_control() {
  if (!config_.control.listen) return;
  control::ApiSettings settings;
  settings.account = config_.account;
  settings.outputs_per_input = config_.outputs_per_input;
  settings.requests_per_second = config_.requests_per_second;
  settings.denied_networks = config_.egress.deny;
  settings.hosts = config_.control.hosts;
  settings.hosts.push_back(config_.public_host);
  settings.hosts.push_back(config_.control.listen->host);
  for (const auto& server : servers_) {
    const auto port = server->endpoint().port();
    if (server->protocol() == media::IngestProtocol::rtmp) {
      settings.addresses.rtmp_url = control::public_rtmp_url(config_.public_host, port);
    } else {
      settings.addresses.rtmps_url = control::public_rtmps_url(config_.public_host, port);
    }
  }
  if (srt_server_) {
    const auto port = srt_server_->endpoint().port();
    settings.addresses.srt_url = control::public_srt_url(config_.public_host, port);
  }
  events_ = std::make_unique<control::EventStream>(control_.get_executor(), *relay_);
  api_ = std::make_unique<control::Api>(
      std::move(settings), *store_, *relay_, *tokens_,
      control::ApiParts{.events = events_.get(),
                        .metrics = metrics_.get(),
                        .notifier = notifier_.get(),
                        .look_up = [this](std::string host) { return addresses_of(std::move(host)); }});
  http_ =
      std::make_unique<control::HttpServer>(control_.get_executor(), [this](const control::Request& request) {
        const net::Activity activity("a request to the API");
        return api_->handle(request);
      });
  const auto port = http_->listen(*config_.control.listen, config_.control.tls);
  config_.control.listen->port = port;
}

asio::awaitable<std::vector<asio::ip::address>> Application::addresses_of(std::string host) {
  std::vector<asio::ip::tcp::endpoint> found;
  const auto error = co_await resolver_.resolve(std::move(host), 0, found);
  std::vector<asio::ip::address> addresses;
  if (error) co_return addresses;
  for (const auto& endpoint : found) addresses.push_back(endpoint.address());
  co_return addresses;
}

// Whoever reaches this listener may read it.
void Application::open_metrics() {
  if (!config_.control.metrics) return;
  metrics_page_ = std::make_unique<control::MetricsPage>(*metrics_, config_.requests_per_second);
  metrics_http_ =
      std::make_unique<control::HttpServer>(control_.get_executor(), [this](const control::Request& request) {
        const net::Activity activity("a request for the metrics");
        return metrics_page_->handle(request);
      });
  config_.control.metrics->port = metrics_http_->listen(*config_.control.metrics);
}

void Application::run() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.add(SIGHUP);
  wait_for_signal();

  for (std::size_t i = 0; i < shards_.size(); ++i) {
    asio::post(shards_[i].context(), [this, i] { streams_[i]->start(); });
  }
  shards_.start();
  watch_loops();
  for (auto& server : servers_) {
    server->start();
    spdlog::info("listening proto={} address={}", to_string(server->protocol()),
                 net::endpoint_text(server->endpoint()));
  }
  if (srt_server_) {
    srt_server_->start();
    spdlog::info("listening proto=srt address={}", net::endpoint_text(srt_server_->endpoint()));
  }
  if (http_) {
    spdlog::info("listening proto={} address={}:{} account={}", "api", config_.control.listen->host,
                 config_.control.listen->port, config_.account);
  }
  if (metrics_http_) {
    spdlog::info("listening proto=metrics address={}:{}", config_.control.metrics->host,
                 config_.control.metrics->port);
  }
  spdlog::info("ready version={} shards={}", SIMULCASTD_VERSION, shards_.size());
  notify_ready("relaying");
  keep_watch();
  // Where the processor is short, packets go before the API. (Of this thread only: Linux, setpriority(2).)
  if (::setpriority(PRIO_PROCESS, 0, kControlNice) != 0)
    spdlog::debug("the control thread keeps its priority");
  control_.run();
}

void Application::watch_loops() {
  for (auto& shard : shards_) loop_watch_.add("shard-" + std::to_string(shard->index()), shard->context());
  loop_watch_.add("control", control_);
  loop_watch_.start();
}

// The watchdog is answered only while the control thread and every shard do their work: this runs on the one
// and asks when the others have reported.
void Application::keep_watch() {
  const std::string problem = relay_->readiness_problem();
  if (problem.empty()) {
    notify_alive();
  } else if (!told_stalled_) {
    spdlog::critical("the watchdog is not answered any more cause=\"{}\"", problem);
  }
  told_stalled_ = !problem.empty();
  tell_log_losses();
  spare_memory_.give_back();
  constexpr int kAnswers = 4;  // in a period of the watchdog
  const auto period = watchdog_period() / kAnswers;
  watch_timer_.expires_after(period.count() > 0 ? std::min<std::chrono::microseconds>(period, kWatch)
                                                : kWatch);
  watch_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) keep_watch();
  });
}

void Application::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code ec, int signal) {
    if (ec) return;
    if (signal == SIGHUP) {
      reload();
      wait_for_signal();
    } else {
      spdlog::info("stopping signal={}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      stop();
    }
  });
}

// Those that are served already, which others may have been put in place of. All can be read, or none is
// taken.
void Application::renew_certificates(const config::Config& fresh) {
  std::shared_ptr<net::TlsContext> rtmps;
  if (as_loaded_.ingest.rtmps && fresh.ingest.rtmps) {
    const auto& certificate = fresh.ingest.rtmps->certificate;
    rtmps = net::TlsContext::server(certificate.certificate, certificate.key);
  }
  if (http_ && fresh.control.tls) http_->renew(*fresh.control.tls);
  if (!rtmps) return;
  asio::post(shards_[0].context(), [this, rtmps] {
    for (auto& server : servers_) {
      if (server->protocol() == media::IngestProtocol::rtmps) server->renew(rtmps);
    }
  });
}

void Application::reload() {
  notify_reloading();
  try {
    const config::Config fresh = config_file_.empty() ? config::Config{} : config::load_file(config_file_);
    const auto tokens = current_tokens(fresh);
    renew_certificates(fresh);
    tokens_->replace(tokens);
    if (events_) events_->tokens_changed();
    set_log_level(fresh.log.level);
    spdlog::info("reloaded the log level, the tokens and the certificates");
    for (const auto setting : changes_that_wait(as_loaded_, fresh)) {
      spdlog::warn("changed in the configuration, but needs a restart setting={}", setting);
    }
  } catch (const std::exception& error) {
    spdlog::error("reload failed, the old configuration goes on cause=\"{}\"", error.what());
  }
  notify_ready("relaying");
}

void Application::stop() {
  notify_stopping();
  signals_.cancel();
  if (http_) http_->stop();
  if (metrics_http_) metrics_http_->stop();
  asio::post(shards_[0].context(), [this] {
    for (auto& server : servers_) server->stop();
    if (srt_server_) srt_server_->stop();
  });
  shards_busy_ = shards_.size();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    asio::post(shards_[i].context(), [this, i] {
      streams_[i]->shut_down([this] { asio::post(control_, [this] { shard_is_empty(); }); });
    });
  }
  stop_timer_.expires_after(kStopTimeout);
  stop_timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) return;
    spdlog::warn("some outputs did not hang up in time");
    control_.stop();
  });
}

void Application::shard_is_empty() {
  if (--shards_busy_ > 0) return;
  spdlog::info("stopped");
  control_.stop();
}

}  // namespace simulcast::daemon
