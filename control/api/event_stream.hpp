// What happens, as server-sent events (WHATWG HTML, 9.2): each change of state at once, the figures each
// second.
//
// A client first gets the state of everything that is live, then what changes. Owned by Application, used on
// the control thread. A client that does not read is let go: it finds everything anew when it comes back. An
// event is one text, however many clients it waits for.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "control/engine.hpp"
#include "control/http/request.hpp"

namespace simulcast::control {

class EventStream final : public EngineListener {
 public:
  static constexpr std::chrono::seconds kStatsPeriod{1};
  static constexpr std::size_t kMaxSubscribers = 64;
  static constexpr std::size_t kMaxBacklog = std::size_t{4} << 20;  // bytes that wait for one client
  // Bytes of all events that wait or are being sent, each counted once. Beyond it those clients go that have
  // most.
  static constexpr std::size_t kMaxBacklogOfAll = std::size_t{16} << 20;

  // Whether a client may still be told.
  using MayStay = std::function<bool()>;

  // Listens to the engine, which must outlive it.
  EventStream(boost::asio::any_io_executor executor, Engine& engine);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // The events of all inputs, or of one; nothing when there are too many clients already.
  std::optional<Response> subscribe(std::string_view input_uid = {}, MayStay may_stay = {});

  // Ends the streams of those who may not stay any more, with an event that says so.
  void tokens_changed();

  void input_changed(const std::string& input_uid, const media::InputStatus& status) override;
  void output_changed(const std::string& input_uid, const std::string& output_uid,
                      const media::OutputStatus& status) override;
  void wanted_changed(const std::string& input_uid) override;

 private:
  class Subscriber;
  struct Hub;

  void publish(const std::string& input_uid, std::string event);
  void tick();

  const boost::asio::any_io_executor executor_;
  Engine& engine_;
  const std::shared_ptr<Hub> hub_;  // shared with the subscribers, which the HTTP server may keep for longer
  // What a client of all inputs gets first, while somebody has it and nothing has changed.
  std::weak_ptr<const std::string> state_of_all_;
  boost::asio::steady_timer timer_;
  bool ticking_ = false;
};

}  // namespace simulcast::control
