// The control API over a real store, with notifications and an engine that does nothing: what the fuzzers of
// its front talk to. One live input with one output, one webhook and one policy are there at the start of
// every input.
#pragma once

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/values.hpp"
#include "control/api/api.hpp"
#include "control/api/event_stream.hpp"
#include "control/api/metrics.hpp"
#include "control/notifications/notifier.hpp"
#include "control/store/sqlite_notifications.hpp"
#include "control/store/sqlite_store.hpp"
#include "tests/fuzz/scratch_directory.hpp"

namespace simulcast::fuzz {

class ApiUnderTest {
 public:
  static constexpr const char* kAccount = "023e105f4ecef8ad9ca31a8372d0c353";
  static constexpr const char* kToken = "a-token-for-everything";
  static constexpr const char* kInput = "11111111111111111111111111111111";
  static constexpr const char* kOutput = "22222222222222222222222222222222";
  static constexpr const char* kWebhook = "33333333333333333333333333333333";
  static constexpr const char* kPolicy = "44444444444444444444444444444444";

  ApiUnderTest() {
    spdlog::set_level(spdlog::level::off);
    reset();
  }

  control::Response handle(const control::Request& request) {
    if (request.method != "GET") changed_ = true;
    control::Response response = api_.handle(request);
    if (response.later) response = awaited(std::move(response));
    if (response.source) return response;  // events
    if (response.status == 200 && request.target.starts_with("/metrics")) {
      check(response.text().starts_with('#') && response.text().ends_with('\n'));
      return response;
    }
    // Whatever was asked, it is the caller who is at fault, and the answer is the envelope.
    check(response.status >= 200 && response.status < 500);
    boost::system::error_code error;
    const auto body = boost::json::parse(response.text(), error);
    check(!error && body.is_object());
    const auto& envelope = body.get_object();
    check(envelope.at("success").as_bool() == (response.status == 200));
    check(envelope.at("errors").as_array().empty() == (response.status == 200));
    check(envelope.contains("result") && envelope.at("messages").is_array());
    for (const auto& [name, value] : response.headers) {
      check(value.find_first_of("\r\n") == std::string::npos);
    }
    return response;
  }

  // What is stored can be read again, and what an input left behind goes.
  void settle() {
    for (const auto& wanted : store_.everything(kAccount))
      check(store_.input(kAccount, wanted.input.uid) == wanted.input);
    run();
    for (const auto& webhook : notifications_.webhooks(kAccount)) {
      check(notifications_.webhook(kAccount, webhook.id) == webhook);
      // What waits for it is JSON.
      std::int64_t behind = 0;
      while (const auto delivery = notifications_.next_delivery(webhook.id, behind)) {
        boost::system::error_code error;
        check(boost::json::parse(delivery->body, error).is_object() && !error);
        behind = delivery->sequence;
      }
    }
    if (changed_) reset();
  }

  // One octet: what; then the message.
  void input_happens(std::span<const std::byte> what) {
    const auto octet = what.empty() ? 0U : std::to_integer<unsigned>(what.front());
    media::InputStatus status{.connected = (octet & 1U) != 0};
    status.reason = static_cast<media::InputReason>((octet >> 1U) % kReasons);
    if ((octet & 0x80U) != 0) status.hold_ends_at = media::WallTime{};
    changed_ = true;
    for (auto* listener : engine_.listeners) listener->input_changed(kInput, status);
    run();
  }
  void output_happens(std::span<const std::byte> what) {
    media::OutputStatus status;
    if (!what.empty()) {
      status.state = static_cast<media::OutputState>(std::to_integer<unsigned>(what.front()) % kStates);
      const auto message = what.subspan(1);
      // Messages have been through protocol::peer_text: printable ASCII will do.
      for (const std::byte octet : message)
        status.message += static_cast<char>(' ' + (std::to_integer<int>(octet) % 95));
    }
    changed_ = true;
    for (auto* listener : engine_.listeners) listener->output_changed(kInput, kOutput, status);
    run();
  }

 private:
  struct Engine final : control::Engine {
    void wanted_changed(std::string_view uid) override {
      for (auto* listener : listeners) listener->wanted_changed(std::string(uid));
    }
    std::optional<control::InputReport> input_status(std::string_view uid) const override {
      if (uid != kInput) return std::nullopt;
      return control::InputReport{{.connected = true}, {{}, {}}};
    }
    std::uint64_t input_changes() const override { return 0; }
    media::OutputStatus output_status(std::string_view, std::string_view) const override { return {}; }
    media::OutputStats output_stats(std::string_view, std::string_view) const override { return {}; }
    std::optional<media::InputStats> input_stats(std::string_view) const override { return {}; }
    std::vector<media::Warning> warnings_of(std::string_view, std::string_view) const override { return {}; }
    std::vector<control::InputSnapshot> snapshot(Which) const override { return {*snapshot_of(kInput)}; }
    std::optional<control::InputSnapshot> snapshot_of(std::string_view uid) const override {
      if (uid != kInput) return std::nullopt;
      return control::InputSnapshot{.uid = kInput,
                                    .name = "show \"1\"\n\\",
                                    .status = media::InputStatus{.connected = true},
                                    .stats = media::InputStats{},
                                    .outputs = {{kOutput, "Tube", {}, {}}}};
    }
    std::vector<control::ShardSnapshot> shards() const override { return {}; }
    boost::asio::awaitable<media::OutputTest> test_output(std::string, std::string, bool) override {
      co_return media::OutputTest{};
    }
    void retry(std::string_view, std::string_view) override {}
    void listen(control::EngineListener& listener) override { listeners.push_back(&listener); }
    std::string readiness_problem() const override { return {}; }

    std::vector<control::EngineListener*> listeners;
  };
  static constexpr unsigned kReasons =
      static_cast<unsigned>(media::InputReason::new_configuration_accepted) + 1;
  static constexpr unsigned kStates = static_cast<unsigned>(media::OutputState::stopping) + 1;

  void run() {
    io_.restart();
    io_.poll();
  }

  control::Response awaited(control::Response response) {
    std::optional<control::Response> answer;
    boost::asio::co_spawn(io_, response.later(),
                          [&answer](const std::exception_ptr& error, control::Response given) {
                            check(!error);
                            answer = std::move(given);
                          });
    run();
    check(answer.has_value());
    return std::move(*answer);
  }

  // The receivers accept nothing, and are asked once.
  static boost::asio::awaitable<control::WebhookAnswer> post(control::WebhookRequest) {
    co_return control::WebhookAnswer{.status = 0, .failure = "not now"};
  }

  void reset() {
    changed_ = false;
    for (const auto& policy : notifications_.policies(kAccount))
      notifications_.delete_policy(kAccount, policy.id);
    for (const auto& webhook : notifications_.webhooks(kAccount)) {
      notifications_.delete_webhook(kAccount, webhook.id);
      notifier_.webhook_deleted(webhook.id);
    }
    control::Webhook webhook;
    webhook.account = kAccount;
    webhook.id = kWebhook;
    webhook.name = "hook";
    webhook.url = "https://example.com/hook";
    notifications_.insert_webhook(webhook, 1, std::nullopt);
    control::Policy policy;
    policy.account = kAccount;
    policy.id = kPolicy;
    policy.name = "policy";
    policy.event_types = {"live_input.connected", "live_input.errored", "output.connected", "output.errored"};
    policy.webhooks = {kWebhook};
    notifications_.insert_policy(policy, 1, std::nullopt);
    notifier_.policies_changed();
    for (const auto& wanted : store_.everything(kAccount)) store_.delete_input(kAccount, wanted.input.uid);
    control::LiveInput input;
    input.account = kAccount;
    input.uid = kInput;
    store_.insert_input(input, std::nullopt);
    control::Output output;
    output.uid = kOutput;
    output.input_uid = kInput;
    output.url = "rtmp://live.example.com/app";
    output.stream_key = "key";
    store_.insert_output(output, 1, std::nullopt);
  }

  static control::ApiSettings settings() {
    control::ApiSettings settings;
    settings.account = kAccount;
    settings.addresses = {"rtmp://relay/live/", "rtmps://relay/live/", "srt://relay:8890"};
    settings.outputs_per_input = 2;
    settings.requests_per_second = 1'000'000;
    settings.denied_networks = {config::parse_network("127.0.0.0/8"), config::parse_network("fe80::/10")};
    settings.hosts = {"relay.example.com"};
    return settings;
  }

  ScratchDirectory directory_;
  control::SqliteStore store_{directory_.path() / "simulcastd.db"};
  boost::asio::io_context io_{1};
  control::SqliteNotifications notifications_{store_.database()};
  Engine engine_;
  control::Notifier notifier_{
      io_.get_executor(),
      engine_,
      notifications_,
      post,
      {.account = kAccount, .first_wait = std::chrono::hours(1), .longest_wait = std::chrono::hours(1)}};
  control::EventStream events_{io_.get_executor(), engine_};
  control::Metrics metrics_{engine_};
  bool changed_ = false;
  control::AccessTokens tokens_{{{kToken, "", false}, {"reader", "", true}}};
  control::Api api_{settings(),
                    store_,
                    engine_,
                    tokens_,
                    {.events = &events_, .metrics = &metrics_, .notifier = &notifier_}};
};

}  // namespace simulcast::fuzz
