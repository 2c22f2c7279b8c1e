#include "control/api/event_stream.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <deque>
#include <set>
#include <utility>

#include "control/api/representation.hpp"

namespace simulcast::control {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::chrono::seconds kHeartbeat{1};
constexpr std::string_view kNothingNew = ":\n\n";

// JSON has no line breaks, so the data is one line.
std::string event_text(std::string_view name, const json::object& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, json::serialize(data));
}

std::string input_event(const std::string& input_uid, const media::InputStatus& status) {
  return event_text("input", {{"input", input_uid}, {"status", input_status_json(status)}});
}

std::string output_event(const std::string& input_uid, const std::string& output_uid,
                         const media::OutputStatus& status) {
  return event_text("output",
                    {{"input", input_uid}, {"output", output_uid}, {"status", output_status_json(status)}});
}

std::string stats_event(const std::vector<InputSnapshot>& inputs) {
  json::array shown;
  for (const InputSnapshot& input : inputs) {
    json::array outputs;
    for (const OutputSnapshot& output : input.outputs) {
      outputs.push_back(json::object{{"output", output.uid}, {"stats", output_stats_json(output.stats)}});
    }
    json::object item{{"input", input.uid}};
    item["stats"] = input.stats ? json::value(input_stats_json(*input.stats)) : json::value(nullptr);
    item["outputs"] = std::move(outputs);
    shown.push_back(std::move(item));
  }
  return event_text("stats", {{"inputs", std::move(shown)}});
}

std::string state_of(const std::vector<InputSnapshot>& inputs) {
  std::string text;
  for (const InputSnapshot& input : inputs) {
    if (input.status) text += input_event(input.uid, *input.status);
    for (const OutputSnapshot& output : input.outputs) {
      text += output_event(input.uid, output.uid, output.status);
    }
  }
  return text;
}

}  // namespace

struct EventStream::Hub {
  std::set<Subscriber*> subscribers;
};

class EventStream::Subscriber final : public BodySource {
 public:
  Subscriber(const asio::any_io_executor& executor, std::shared_ptr<Hub> hub, std::string input_uid)
      : hub_(std::move(hub)), input_uid_(std::move(input_uid)), news_(executor) {
    hub_->subscribers.insert(this);
  }
  ~Subscriber() override { hub_->subscribers.erase(this); }
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  const std::string& input_uid() const { return input_uid_; }  // empty: all

  void push(const std::string& event) {
    if (pending_.size() + event.size() > kMaxBacklog) return end();
    pending_ += event;
    news_.cancel();
  }

  void end() {
    ended_ = true;
    news_.cancel();
  }

  asio::awaitable<std::string> next() override {
    if (pending_.empty() && !ended_) {
      news_.expires_after(kHeartbeat);
      co_await news_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (ended_) co_return std::string();
    if (pending_.empty()) co_return std::string(kNothingNew);
    co_return std::exchange(pending_, {});
  }

 private:
  const std::shared_ptr<Hub> hub_;
  const std::string input_uid_;
  asio::steady_timer news_;  // cancelled when there is something
  std::string pending_;
  bool ended_ = false;
};

EventStream::EventStream(asio::any_io_executor executor, Engine& engine)
    : executor_(std::move(executor)), engine_(engine), hub_(std::make_shared<Hub>()), timer_(executor_) {
  engine_.listen(*this);
}

EventStream::~EventStream() {
  for (Subscriber* subscriber : hub_->subscribers) subscriber->end();
}

std::optional<Response> EventStream::subscribe(std::string_view input_uid) {
  if (hub_->subscribers.size() >= kMaxSubscribers) return std::nullopt;
  Response response;
  response.headers = {{"Content-Type", "text/event-stream"}, {"X-Accel-Buffering", "no"}};
  response.body = fmt::format("retry: {}\n\n", std::chrono::milliseconds(kHeartbeat).count());
  if (input_uid.empty()) {
    response.body += state_of(engine_.snapshot(Engine::Which::live));
  } else if (const auto input = engine_.snapshot_of(input_uid)) {
    response.body += state_of({*input});
  }
  response.source = std::make_shared<Subscriber>(executor_, hub_, std::string(input_uid));
  if (!std::exchange(ticking_, true)) tick();
  return response;
}

void EventStream::publish(const std::string& input_uid, const std::string& event) {
  for (Subscriber* subscriber : hub_->subscribers) {
    if (subscriber->input_uid().empty() || subscriber->input_uid() == input_uid) subscriber->push(event);
  }
}

void EventStream::input_changed(const std::string& input_uid, const media::InputStatus& status) {
  if (!hub_->subscribers.empty()) publish(input_uid, input_event(input_uid, status));
}

void EventStream::output_changed(const std::string& input_uid, const std::string& output_uid,
                                 const media::OutputStatus& status) {
  if (!hub_->subscribers.empty()) publish(input_uid, output_event(input_uid, output_uid, status));
}

void EventStream::wanted_changed(const std::string& input_uid) {
  if (!hub_->subscribers.empty()) publish(input_uid, event_text("changed", {{"input", input_uid}}));
}

void EventStream::tick() {
  if (hub_->subscribers.empty()) {
    ticking_ = false;
    return;
  }
  std::string of_all;  // made once
  for (Subscriber* subscriber : hub_->subscribers) {
    if (!subscriber->input_uid().empty()) {
      const auto input = engine_.snapshot_of(subscriber->input_uid());
      subscriber->push(stats_event(input ? std::vector{*input} : std::vector<InputSnapshot>{}));
      continue;
    }
    if (of_all.empty()) of_all = stats_event(engine_.snapshot(Engine::Which::live));
    subscriber->push(of_all);
  }
  timer_.expires_after(kStatsPeriod);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) tick();
  });
}

}  // namespace simulcast::control
