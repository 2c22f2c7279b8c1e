// The API over a real store in a directory of its own, with a stub engine and a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/api/api.hpp"
#include "control/store/sqlite_store.hpp"

namespace simulcast::control::test {

namespace json = boost::json;

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Answers what it was told to answer, and remembers what it was told.
class StubEngine final : public Engine {
 public:
  void wanted_changed(std::string_view input_uid) override { changed.emplace_back(input_uid); }
  std::optional<InputReport> input_status(std::string_view input_uid) const override {
    const auto found = reports.find(std::string(input_uid));
    return found == reports.end() ? std::nullopt : std::optional(found->second);
  }
  std::uint64_t input_changes() const override { return changes; }
  media::OutputStatus output_status(std::string_view, std::string_view) const override { return status; }
  media::OutputStats output_stats(std::string_view, std::string_view) const override { return stats; }
  std::optional<media::InputStats> input_stats(std::string_view) const override { return measured; }
  std::vector<media::Warning> warnings_of(std::string_view, std::string_view) const override {
    return warnings;
  }
  std::vector<InputSnapshot> snapshot(Which) const override {
    ++asked;
    if (while_asked) while_asked();
    return snapshots;
  }
  std::optional<InputSnapshot> snapshot_of(std::string_view uid) const override {
    for (const auto& input : snapshots) {
      if (input.uid == uid) return input;
    }
    return std::nullopt;
  }
  std::vector<ShardSnapshot> shards() const override { return {{}, {std::chrono::milliseconds(3)}}; }
  boost::asio::awaitable<media::OutputTest> test_output(std::string, std::string, bool) override {
    co_return tested;
  }
  void retry(std::string_view, std::string_view output_uid) override { retried.emplace_back(output_uid); }
  void listen(EngineListener& listener) override { listeners.push_back(&listener); }
  std::string readiness_problem() const override { return problem; }

  std::uint64_t changes = 0;
  mutable std::size_t asked = 0;      // for all inputs
  std::function<void()> while_asked;  // happens meanwhile
  std::vector<std::string> changed;
  std::vector<std::string> retried;
  std::vector<EngineListener*> listeners;
  std::optional<media::InputStats> measured;
  std::vector<media::Warning> warnings;
  std::vector<InputSnapshot> snapshots;
  media::OutputTest tested;
  std::map<std::string, InputReport> reports;
  media::OutputStatus status;
  media::OutputStats stats;
  std::string problem;
};

inline const std::string kAccount = "023e105f4ecef8ad9ca31a8372d0c353";
inline const std::string kToken = "a-token-for-everything";
inline const std::string kInputs = "/client/v4/accounts/" + kAccount + "/stream/live_inputs";

struct Answer {
  unsigned status = 0;
  json::object body;
  Headers headers;

  bool ok() const { return status == 200 && body.at("success").as_bool(); }
  const json::value& result() const { return body.at("result"); }
  const json::object& object() const { return result().as_object(); }
  const json::object& error(std::size_t index = 0) const { return body.at("errors").at(index).as_object(); }
  std::string header(std::string_view name) const;
};

// Status, code, pointer and a part of the message of the first error, and the envelope around it.
testing::AssertionResult is_error(const Answer& answer, unsigned status, int code, std::string_view pointer,
                                  std::string_view message_part);

class ApiTest : public testing::Test {
 protected:
  Answer call(const std::string& method, const std::string& target, const std::string& body = "",
              Headers extra = {});
  Answer send(const Request& request);
  // Waited for, when the answer takes its time.
  Response answer(const Request& request);
  // The body as it is sent.
  std::string text_of(const std::string& method, const std::string& target, const std::string& body = "");
  // Of an input made with `body`.
  std::string new_input(const std::string& body = "{}");
  std::string new_output(const std::string& input, const std::string& body = kOutputBody);
  std::string input_path(const std::string& uid) const { return kInputs + "/" + uid; }
  std::string outputs_path(const std::string& uid) const { return kInputs + "/" + uid + "/outputs"; }

  virtual Store& store() { return sqlite_; }
  // Again from scratch, with what the test has changed in `settings_` and `parts_` and with store().
  void remake_api();

  static constexpr const char* kOutputBody = R"({"url": "rtmp://live.example.com/app", "streamKey": "key"})";

  TemporaryDirectory directory_;
  SqliteStore sqlite_{directory_.path() / "simulcastd.db"};
  StubEngine engine_;
  AccessTokens tokens_{{{kToken, "", false}, {"reader", "", true}, {"other", "0123456789abcdef", false}}};
  Timestamp now_{std::chrono::microseconds(1'700'000'000'123'456)};
  ApiSettings settings_;
  ApiParts parts_;

 private:
  std::unique_ptr<Api> api_;
};

}  // namespace simulcast::control::test
