#include "control/notifications/notifier.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>
#include <utility>

#include "media/cut_text.hpp"

namespace simulcast::control {

namespace {

// Of a sorted list: each event asks each policy.
bool names(const std::vector<std::string>& list, std::string_view value) {
  return std::ranges::binary_search(list, value);
}

// A policy without event types gets what the original would send: nothing that its receivers do not know.
bool wants(const Policy& policy, const NotificationEvent& event) {
  if (!policy.input_ids.empty() && !names(policy.input_ids, event.input_uid)) return false;
  if (policy.event_types.empty()) return is_of_the_original(event.type);
  return names(policy.event_types, to_string(event.type));
}

}  // namespace

Notifier::Notifier(boost::asio::any_io_executor executor, Engine& engine, NotificationStore& store,
                   WebhookDelivery::Post post, WebhookDelivery::Settings settings)
    : executor_(std::move(executor)),
      account_(settings.account),
      now_(settings.now),
      engine_(engine),
      store_(store),
      delivery_(executor_, store_, std::move(post), std::move(settings)) {
  engine_.listen(*this);
}

void Notifier::webhook_changed(const std::string& id) {
  policies_known_ = false;
  delivery_.changed(id);
}

void Notifier::webhook_deleted(const std::string& id) {
  policies_known_ = false;
  delivery_.deleted(id);
}

void Notifier::input_changed(const std::string& input_uid, const media::InputStatus& status) {
  if (!status.connected && !status.hold_ends_at) {
    ended_.insert(input_uid);
    look_soon();
  }
  happened(events_.input_changed(input_uid, status));
}

void Notifier::output_changed(const std::string& input_uid, const std::string& output_uid,
                              const media::OutputStatus& status) {
  happened(events_.output_changed(input_uid, output_uid, status, NotificationEvents::Clock::now()));
}

void Notifier::wanted_changed(const std::string& input_uid) {
  edited_.insert(input_uid);
  look_soon();
}

void Notifier::happened(std::optional<NotificationEvent> event) {
  if (!event) return;
  pending_.push_back(*std::move(event));
  look_soon();
}

// The engine must not be called from inside, and what else it has to tell comes within the same moment.
void Notifier::look_soon() {
  if (std::exchange(look_is_due_, true)) return;
  boost::asio::post(executor_, [this] {
    look_is_due_ = false;
    look();
  });
}

void Notifier::look() {
  auto events = std::exchange(pending_, {});
  const auto edited = std::exchange(edited_, {});
  const auto ended = std::exchange(ended_, {});
  for (const std::string& input_uid : edited) {
    std::ranges::move(look_at_outputs(input_uid), std::back_inserter(events));
  }
  std::set<std::string> inputs;
  for (const NotificationEvent& event : events) inputs.insert(event.input_uid);
  for (const std::string& input_uid : inputs) take_note_of(input_uid);
  if (!events.empty()) write_later(std::move(events));
  for (const std::string& input_uid : ended) known_.erase(input_uid);
  for (const std::string& input_uid : edited) forget_deleted(input_uid);
}

// Those that were live and are deleted.
std::vector<NotificationEvent> Notifier::look_at_outputs(const std::string& input_uid) {
  std::set<std::string> outputs;
  if (const auto input = engine_.snapshot_of(input_uid)) {
    for (const OutputSnapshot& output : input->outputs) outputs.insert(output.uid);
  }
  return events_.outputs_are(input_uid, outputs, std::chrono::system_clock::now());
}

void Notifier::forget_deleted(const std::string& input_uid) {
  const auto known = known_.find(input_uid);
  if (known == known_.end()) return;
  const auto input = engine_.snapshot_of(input_uid);
  if (!input) {
    known_.erase(known);
    return;
  }
  known->second.outputs.clear();
  for (const OutputSnapshot& output : input->outputs) known->second.outputs[output.uid] = output.name;
}

// What is gone from the engine keeps the name and the codecs that it had.
void Notifier::take_note_of(const std::string& input_uid) {
  const auto input = engine_.snapshot_of(input_uid);
  if (!input) return;
  Known& known = known_[input_uid];
  known.name = media::cut_text(input->name, InputSnapshot::kMaxName);
  for (const OutputSnapshot& output : input->outputs) known.outputs[output.uid] = output.name;
  if (!input->stats) return;
  if (input->stats->video) known.video_codec = input->stats->video->codec;
  if (input->stats->audio) known.audio_codec = input->stats->audio->codec;
}

EventSubject Notifier::subject_of(const NotificationEvent& event) const {
  const auto found = known_.find(event.input_uid);
  if (found == known_.end()) return {};
  const Known& known = found->second;
  const auto output = known.outputs.find(event.output_uid);
  return {.input_name = known.name,
          .output_name = output == known.outputs.end() ? std::string() : output->second,
          .video_codec = known.video_codec,
          .audio_codec = known.audio_codec};
}

void Notifier::read_policies() {
  if (policies_known_) return;
  try {
    std::vector<Policy> policies = store_.policies(account_);
    std::erase_if(policies, [](const Policy& policy) { return !policy.enabled; });
    for (Policy& policy : policies) {
      std::ranges::sort(policy.input_ids);
      std::ranges::sort(policy.event_types);
    }
    std::map<std::string, std::string> webhook_names;
    for (Webhook& webhook : store_.webhooks(account_)) webhook_names[webhook.id] = std::move(webhook.name);
    policies_ = std::move(policies);
    webhook_names_ = std::move(webhook_names);
    policies_known_ = true;
  } catch (const StoreError& error) {
    // The old ones go on; the next event tries again.
    spdlog::error("notifications: the policies cannot be read cause=\"{}\"", error.what());
  }
}

void Notifier::write_later(std::vector<NotificationEvent> events) {
  const bool under_way = !unwritten_.empty();
  for (NotificationEvent& event : events) {
    if (unwritten_.size() < kMaxUnwritten) {
      EventSubject subject = subject_of(event);
      unwritten_.push_back({std::move(event), std::move(subject)});
    } else if (lost_++ == 0) {
      spdlog::error("notifications are lost, there are more events than can be written");
    }
  }
  if (!under_way) write_slice();
}

void Notifier::write_slice() {
  read_policies();
  const Timestamp now = now_();
  std::vector<Delivery> deliveries;
  while (!unwritten_.empty() && deliveries.size() < kMaxTogether) {
    add_deliveries(unwritten_.front().event, unwritten_.front().subject, now, deliveries);
    unwritten_.pop_front();
  }
  if (!deliveries.empty()) store_and_wake(deliveries);
  if (!unwritten_.empty()) {
    boost::asio::post(executor_, [this] { write_slice(); });
  } else if (const std::size_t lost = std::exchange(lost_, 0); lost > 0) {
    spdlog::error("notifications were lost count={}", lost);
  }
}

void Notifier::add_deliveries(const NotificationEvent& event, const EventSubject& subject, Timestamp now,
                              std::vector<Delivery>& deliveries) const {
  std::set<std::string_view> told;  // once, however many policies say so
  for (const Policy& policy : policies_) {
    if (!wants(policy, event)) continue;
    for (const std::string& id : policy.webhooks) {
      const auto name = webhook_names_.find(id);
      if (name == webhook_names_.end() || !told.insert(id).second) continue;
      const auto body = notification_body(event, subject, name->second, now);
      deliveries.push_back({0, id, now, boost::json::serialize(body)});
    }
  }
}

void Notifier::store_and_wake(const std::vector<Delivery>& deliveries) {
  try {
    for (const auto& [webhook, count] : store_.push(deliveries, {})) delivery_.gave_up(webhook, count);
  } catch (const StoreError& error) {
    spdlog::error("notifications are lost, the store cannot be written count={} cause=\"{}\"",
                  deliveries.size(), error.what());
    return;
  }
  for (const Delivery& delivery : deliveries) delivery_.wake(delivery.webhook);
}

}  // namespace simulcast::control
