#include "egress/probe.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <string>
#include <utility>

#include "egress/mailbox.hpp"
#include "egress/rtmp_fanout.hpp"
#include "egress/sink.hpp"

namespace simulcast::egress {

namespace asio = boost::asio;

namespace {

// Notes the steps and how long each has taken.
class Steps final : public OpenWatch {
 public:
  void step_began(OpenStep step) override {
    end_step(true, {});
    steps_.push_back({.name = std::string(to_string(step)), .ok = false, .took = {}, .message = {}});
    began_ = Clock::now();
    open_ = true;
  }

  void end_step(bool ok, std::string message) {
    if (!std::exchange(open_, false)) return;
    auto& step = steps_.back();
    step.ok = ok;
    step.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_);
    step.message = std::move(message);
  }

  std::vector<media::OutputTest::Step> take() { return std::move(steps_); }

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<media::OutputTest::Step> steps_;
  Clock::time_point began_{};
  bool open_ = false;
};

// However the probe ends, also when it is cancelled.
class HangUp {
 public:
  explicit HangUp(Sink& sink) : sink_(sink) {}
  ~HangUp() { sink_.close(); }
  HangUp(const HangUp&) = delete;
  HangUp& operator=(const HangUp&) = delete;

 private:
  Sink& sink_;
};

asio::awaitable<std::optional<Failure>> open_in_time(Sink& sink, asio::steady_timer& deadline) {
  using namespace asio::experimental::awaitable_operators;
  auto opened = co_await (sink.open() || deadline.async_wait(asio::use_awaitable));
  if (opened.index() == 0) co_return std::move(std::get<0>(opened));
  co_return Failure{Failure::Kind::lost,
                    "no answer in time while waiting for " + std::string(sink.waiting_for())};
}

}  // namespace

asio::awaitable<media::OutputTest> probe(OutputSpec spec, const Environment& environment) {
  const auto executor = co_await asio::this_coro::executor;
  Mailbox mailbox({media::Time::zero(), 0});  // stays empty
  RtmpFanout fanout;
  const media::Trail trail;
  const auto sink = make_sink(spec, trail, mailbox, fanout, environment, executor);
  const HangUp hang_up(*sink);
  Steps steps;
  sink->watch_open(steps);
  asio::steady_timer deadline(executor, Sink::kOpenTimeout);
  const auto failure = co_await open_in_time(*sink, deadline);

  media::OutputTest test;
  test.ok = !failure;
  test.message = failure ? failure->message : "the destination accepts the stream; nothing was sent";
  steps.end_step(test.ok, failure ? failure->message : std::string());
  if (test.ok) co_await sink->finish();
  test.steps = steps.take();
  co_return test;
}

}  // namespace simulcast::egress
