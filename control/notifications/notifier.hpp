// Tells webhooks what becomes of inputs and outputs, as the policies want it.
//
// Listens to the engine, and puts what its policies ask for into the outbox before anything is sent; from
// there WebhookDelivery takes it. What happens at one moment is written together, a moment later, so that
// neither the engine nor a burst of events waits for the disk; a great deal of it in slices, between which
// the control thread does its other work. When the store cannot be written the events are lost, and the log
// says so. Owned by Application, lives on the control thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/engine.hpp"
#include "control/notifications/notification_body.hpp"
#include "control/notifications/notification_events.hpp"
#include "control/notifications/webhook_delivery.hpp"
#include "control/store/notification_store.hpp"

namespace simulcast::control {

class Notifier final : public EngineListener {
 public:
  // Rows that are written in one transaction, or as many as one event makes.
  static constexpr std::size_t kMaxTogether = 100;
  // Events that are still to be written; beyond it the newest are lost.
  static constexpr std::size_t kMaxUnwritten = 20'000;

  // `engine` and `store` must outlive this, and this the work of `executor`.
  Notifier(boost::asio::any_io_executor executor, Engine& engine, NotificationStore& store,
           WebhookDelivery::Post post, WebhookDelivery::Settings settings);

  // Sends what an earlier run has left. Throws StoreError.
  void start() { delivery_.start(); }

  NotificationStore& store() { return store_; }
  // By the API, after it has changed the store.
  void policies_changed() { policies_known_ = false; }
  void webhook_changed(const std::string& id);
  void webhook_deleted(const std::string& id);

  void input_changed(const std::string& input_uid, const media::InputStatus& status) override;
  void output_changed(const std::string& input_uid, const std::string& output_uid,
                      const media::OutputStatus& status) override;
  void wanted_changed(const std::string& input_uid) override;

 private:
  void happened(std::optional<NotificationEvent> event);
  void look_soon();
  void look();
  void read_policies();
  std::vector<NotificationEvent> look_at_outputs(const std::string& input_uid);
  void take_note_of(const std::string& input_uid);
  void forget_deleted(const std::string& input_uid);
  EventSubject subject_of(const NotificationEvent& event) const;
  void write_later(std::vector<NotificationEvent> events);
  void write_slice();
  void add_deliveries(const NotificationEvent& event, const EventSubject& subject, Timestamp now,
                      std::vector<Delivery>& deliveries) const;
  void store_and_wake(const std::vector<Delivery>& deliveries);

  const boost::asio::any_io_executor executor_;
  const std::string account_;
  const std::function<Timestamp()> now_;
  Engine& engine_;
  NotificationStore& store_;
  WebhookDelivery delivery_;
  NotificationEvents events_;

  struct Unwritten {
    NotificationEvent event;
    EventSubject subject;  // as it was then
  };
  std::deque<Unwritten> unwritten_;
  std::size_t lost_ = 0;  // since unwritten_ was full

  bool look_is_due_ = false;
  std::vector<NotificationEvent> pending_;
  std::set<std::string> edited_;  // inputs
  std::set<std::string> ended_;   // inputs

  bool policies_known_ = false;
  std::vector<Policy> policies_;                      // that are enabled
  std::map<std::string, std::string> webhook_names_;  // by id

  // By input, while it is on the air: what was last known of it and its outputs.
  struct Known {
    std::string name;
    std::map<std::string, std::string> outputs;  // names by uid
    std::string video_codec;
    std::string audio_codec;
  };
  std::map<std::string, Known> known_;
};

}  // namespace simulcast::control
