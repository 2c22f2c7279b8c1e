// The control API over a real store, with an engine that does nothing: what the fuzzers of its front talk to.
// One live input with one output is there at the start of every input.
#pragma once

#include <spdlog/spdlog.h>

#include <boost/json/parse.hpp>
#include <optional>
#include <string>

#include "config/values.hpp"
#include "control/api.hpp"
#include "control/sqlite_store.hpp"
#include "tests/fuzz/scratch_directory.hpp"

namespace simulcast::fuzz {

class ApiUnderTest {
 public:
  static constexpr const char* kAccount = "023e105f4ecef8ad9ca31a8372d0c353";
  static constexpr const char* kToken = "a-token-for-everything";
  static constexpr const char* kInput = "11111111111111111111111111111111";
  static constexpr const char* kOutput = "22222222222222222222222222222222";

  ApiUnderTest() {
    spdlog::set_level(spdlog::level::off);
    reset();
  }

  control::Response handle(const control::Request& request) {
    const control::Response response = api_.handle(request);
    // Whatever was asked, it is the caller who is at fault, and the answer is the envelope.
    check(response.status >= 200 && response.status < 500);
    boost::system::error_code error;
    const auto body = boost::json::parse(response.body, error);
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
    if (engine_.changed) reset();
  }

 private:
  struct Engine final : control::Engine {
    void wanted_changed(std::string_view) override { changed = true; }
    std::optional<control::InputReport> input_status(std::string_view uid) const override {
      if (uid != kInput) return std::nullopt;
      return control::InputReport{{.connected = true}, {{}, {}}};
    }
    media::OutputStatus output_status(std::string_view, std::string_view) const override { return {}; }
    media::OutputStats output_stats(std::string_view, std::string_view) const override { return {}; }
    std::optional<media::InputStats> input_stats(std::string_view) const override { return {}; }
    std::vector<media::Warning> warnings_of(std::string_view, std::string_view) const override { return {}; }
    std::vector<control::InputSnapshot> snapshot(Which) const override { return {}; }
    std::optional<control::InputSnapshot> snapshot_of(std::string_view) const override { return {}; }
    std::vector<control::ShardSnapshot> shards() const override { return {}; }
    boost::asio::awaitable<media::OutputTest> test_output(std::string, std::string, bool) override {
      co_return media::OutputTest{};
    }
    void retry(std::string_view, std::string_view) override {}
    void listen(control::EngineListener&) override {}
    std::string readiness_problem() const override { return {}; }

    bool changed = false;
  };

  void reset() {
    engine_.changed = false;
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
    return settings;
  }

  ScratchDirectory directory_;
  control::SqliteStore store_{directory_.path() / "simulcastd.db"};
  Engine engine_;
  control::AccessTokens tokens_{{{kToken, "", false}, {"reader", "", true}}};
  control::Api api_{settings(), store_, engine_, tokens_};
};

}  // namespace simulcast::fuzz
