#include "control/api/event_stream.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "control/api/representation.hpp"

namespace simulcast::control {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::chrono::seconds kHeartbeat{1};
// Bytes of events that are sent in one piece.
constexpr std::size_t kTogether = 64 * 1024;
constexpr std::string_view kRevoked = "the token of this event stream is not valid any more";

const Text& nothing_new() {
  static const Text text = std::make_shared<const std::string>(":\n\n");
  return text;
}

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

// Counts the bytes of all events that still wait for anybody.
struct EventStream::Hub {
  std::set<Subscriber*> subscribers;
  std::size_t bytes = 0;

  static Text share(const std::shared_ptr<Hub>& hub, std::string text);
  void keep_within_bounds();
};

Text EventStream::Hub::share(const std::shared_ptr<Hub>& hub, std::string text) {
  struct Counted {
    Counted(std::shared_ptr<Hub> the_hub, std::string the_text)
        : hub(std::move(the_hub)), text(std::move(the_text)) {
      hub->bytes += text.size();
    }
    ~Counted() { hub->bytes -= text.size(); }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

    const std::shared_ptr<Hub> hub;
    const std::string text;
  };
  const auto counted = std::make_shared<Counted>(hub, std::move(text));
  return {counted, &counted->text};
}

class EventStream::Subscriber final : public BodySource {
 public:
  Subscriber(const asio::any_io_executor& executor, std::shared_ptr<Hub> hub, std::string input_uid,
             MayStay may_stay)
      : hub_(std::move(hub)),
        input_uid_(std::move(input_uid)),
        may_stay_(std::move(may_stay)),
        news_(executor) {
    hub_->subscribers.insert(this);
  }
  ~Subscriber() override { hub_->subscribers.erase(this); }
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  const std::string& input_uid() const { return input_uid_; }  // empty: all
  bool may_stay() const { return ended_ || !may_stay_ || may_stay_(); }
  std::size_t backlog() const { return backlog_; }

  void push(const Text& event) {
    if (ended_) return;
    if (backlog_ + event->size() > kMaxBacklog) return end();
    pending_.push_back(event);
    backlog_ += event->size();
    news_.cancel();
  }

  // What waits is not sent any more, only `last`, if there is one.
  void end(const Text& last = nullptr) {
    ended_ = true;
    pending_.clear();
    backlog_ = 0;
    if (last) pending_.push_back(last);
    news_.cancel();
  }

  asio::awaitable<Text> next() override {
    if (pending_.empty() && !ended_) {
      news_.expires_after(kHeartbeat);
      co_await news_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (!pending_.empty()) co_return take();
    if (ended_) co_return nullptr;
    co_return nothing_new();
  }

 private:
  // Small events go out together, large ones as they are.
  Text take() {
    Text first = take_one();
    if (pending_.empty() || first->size() >= kTogether) return first;
    std::string joined = *first;
    while (!pending_.empty() && joined.size() + pending_.front()->size() <= kTogether) {
      joined += *take_one();
    }
    return Hub::share(hub_, std::move(joined));
  }
  Text take_one() {
    Text event = std::move(pending_.front());
    pending_.pop_front();
    backlog_ -= std::min(backlog_, event->size());
    return event;
  }

  const std::shared_ptr<Hub> hub_;
  const std::string input_uid_;
  const MayStay may_stay_;
  asio::steady_timer news_;  // cancelled when there is something
  std::deque<Text> pending_;
  std::size_t backlog_ = 0;  // bytes of it
  bool ended_ = false;
};

void EventStream::Hub::keep_within_bounds() {
  while (bytes > kMaxBacklogOfAll) {
    const auto fullest =
        std::ranges::max_element(subscribers, {}, [](const Subscriber* one) { return one->backlog(); });
    if (fullest == subscribers.end() || (*fullest)->backlog() == 0) return;  // all of it is being sent
    (*fullest)->end();
  }
}

EventStream::EventStream(asio::any_io_executor executor, Engine& engine)
    : executor_(std::move(executor)), engine_(engine), hub_(std::make_shared<Hub>()), timer_(executor_) {
  engine_.listen(*this);
}

EventStream::~EventStream() {
  for (Subscriber* subscriber : hub_->subscribers) subscriber->end();
}

std::optional<Response> EventStream::subscribe(std::string_view input_uid, MayStay may_stay) {
  if (hub_->subscribers.size() >= kMaxSubscribers) return std::nullopt;
  Response response;
  response.headers = {{"Content-Type", "text/event-stream"}, {"X-Accel-Buffering", "no"}};
  const std::string retry = fmt::format("retry: {}\n\n", std::chrono::milliseconds(kHeartbeat).count());
  if (input_uid.empty()) {
    response.shared = state_of_all_.lock();
    if (!response.shared) {
      response.shared =
          std::make_shared<const std::string>(retry + state_of(engine_.snapshot(Engine::Which::live)));
      state_of_all_ = response.shared;
    }
  } else {
    const auto input = engine_.snapshot_of(input_uid);
    response.body = input ? retry + state_of({*input}) : retry;
  }
  response.source =
      std::make_shared<Subscriber>(executor_, hub_, std::string(input_uid), std::move(may_stay));
  if (!std::exchange(ticking_, true)) tick();
  return response;
}

void EventStream::tokens_changed() {
  std::size_t ended = 0;
  const Text last = Hub::share(hub_, event_text("end", {{"reason", kRevoked}}));
  for (Subscriber* subscriber : hub_->subscribers) {
    if (subscriber->may_stay()) continue;
    subscriber->end(last);
    ++ended;
  }
  if (ended > 0)
    spdlog::info("event streams have ended, their tokens are not valid any more count={}", ended);
}

void EventStream::publish(const std::string& input_uid, std::string event) {
  state_of_all_.reset();
  const Text text = Hub::share(hub_, std::move(event));
  for (Subscriber* subscriber : hub_->subscribers) {
    if (subscriber->input_uid().empty() || subscriber->input_uid() == input_uid) subscriber->push(text);
  }
  hub_->keep_within_bounds();
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
  const auto only = [this](const std::string& uid) {
    const auto input = engine_.snapshot_of(uid);
    return input ? std::vector{*input} : std::vector<InputSnapshot>{};
  };
  if (hub_->subscribers.empty()) {
    ticking_ = false;
    return;
  }
  state_of_all_.reset();                  // it says when an encoder was last seen
  std::map<std::string, Text> of_inputs;  // each made once; "": of all
  for (Subscriber* subscriber : hub_->subscribers) {
    const std::string& uid = subscriber->input_uid();
    Text& text = of_inputs[uid];
    if (!text)
      text = Hub::share(hub_, stats_event(uid.empty() ? engine_.snapshot(Engine::Which::live) : only(uid)));
    subscriber->push(text);
  }
  of_inputs.clear();
  hub_->keep_within_bounds();
  timer_.expires_after(kStatsPeriod);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) tick();
  });
}

}  // namespace simulcast::control
