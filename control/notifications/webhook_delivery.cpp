#include "control/notifications/webhook_delivery.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <utility>

#include "control/notifications/webhook_url.hpp"

namespace simulcast::control {

namespace asio = boost::asio;

namespace {

struct Destination {
  Destination(const asio::any_io_executor& executor, std::string the_id)
      : id(std::move(the_id)), timer(executor) {}

  enum class State { idle, queued, busy, waiting, gone };

  const std::string id;
  State state = State::idle;
  bool failing = false;      // when the request under way began
  int failures = 0;          // in a row
  std::size_t given_up = 0;  // since it worked for the last time
  asio::steady_timer timer;
  std::int64_t done = 0;  // accepted, also when the store could not note it
};

std::string shown(const std::string& url) {
  const auto parsed = parse_webhook_url(url);
  return parsed ? parsed->shown : "unusable";
}

}  // namespace

struct WebhookDelivery::Impl : std::enable_shared_from_this<Impl> {
  using DestinationPtr = std::shared_ptr<Destination>;
  using State = Destination::State;

  Impl(asio::any_io_executor the_executor, NotificationStore& the_store, Post the_post, Settings the_settings)
      : executor(std::move(the_executor)),
        store(the_store),
        post(std::move(the_post)),
        settings(std::move(the_settings)) {}

  const DestinationPtr& destination_of(const std::string& id) {
    DestinationPtr& destination = destinations[id];
    if (!destination) destination = std::make_shared<Destination>(executor, id);
    return destination;
  }

  void wake(const std::string& id) { enqueue(destination_of(id)); }

  void gave_up(const std::string& id, std::size_t count) {
    Destination& destination = *destination_of(id);
    if (destination.given_up == 0) {
      spdlog::warn("webhook: too many notifications wait, the oldest are given up webhook={} count={}", id,
                   count);
    }
    destination.given_up += count;
  }

  // Of no effect on one that is busy or waits: it looks for more by itself.
  void enqueue(const DestinationPtr& destination) {
    if (destination->state != State::idle) return;
    destination->state = State::queued;
    queue.push_back(destination);
    begin_requests();
  }

  void begin_requests() {
    for (auto next = queue.begin(); next != queue.end() && busy < kAtOnce;) {
      const DestinationPtr destination = *next;
      if (destination->state != State::queued) {  // gone
        next = queue.erase(next);
      } else if (destination->failures > 0 && busy_failing >= kFailingAtOnce) {
        ++next;
      } else {
        next = queue.erase(next);
        begin(destination);
      }
    }
  }

  void begin(const DestinationPtr& destination) {
    destination->state = State::busy;
    destination->failing = destination->failures > 0;
    ++busy;
    if (destination->failing) ++busy_failing;
    auto self = shared_from_this();
    asio::co_spawn(
        executor, deliver_one(destination),
        [self, destination](const std::exception_ptr&, Outcome outcome) { self->end(destination, outcome); });
  }

  enum class Outcome { failed, accepted, nothing_waits };

  void end(const DestinationPtr& destination, Outcome outcome) {
    --busy;
    if (destination->failing) --busy_failing;
    if (destination->state != State::gone) {
      destination->state = State::idle;
      if (outcome == Outcome::accepted) {
        enqueue(destination);  // behind the others
      } else if (outcome == Outcome::failed) {
        wait(destination);
      }
    }
    begin_requests();
  }

  void wait(const DestinationPtr& destination) {
    constexpr int kMaxDoublings = 30;
    const auto delay = std::min(
        settings.first_wait * (std::int64_t{1} << std::min(destination->failures - 1, kMaxDoublings)),
        settings.longest_wait);
    destination->state = State::waiting;
    destination->timer.expires_after(delay);
    destination->timer.async_wait([self = weak_from_this(), destination](boost::system::error_code) {
      // Cancelled by changed(): then the wait is over as well.
      const auto impl = self.lock();
      if (!impl || destination->state != State::waiting) return;
      destination->state = State::idle;
      impl->enqueue(destination);
    });
  }

  // A webhook is looked up anew for each request, since it may have been edited.
  asio::awaitable<Outcome> deliver_one(DestinationPtr destination) {
    if (destination->state == State::gone) co_return Outcome::nothing_waits;
    std::optional<Webhook> webhook;
    std::optional<Delivery> delivery;
    try {
      webhook = store.webhook(settings.account, destination->id);
      if (webhook) delivery = store.next_delivery(destination->id, destination->done);
    } catch (const StoreError& error) {
      spdlog::error("webhook: the store cannot be read webhook={} cause=\"{}\"", destination->id,
                    error.what());
      ++destination->failures;
      co_return Outcome::failed;
    }
    if (!delivery) co_return Outcome::nothing_waits;

    WebhookAnswer answer;
    try {
      WebhookRequest request{webhook->url, webhook->secret, delivery->body, delivery->sequence};
      answer = co_await post(std::move(request));
    } catch (const std::exception& error) {
      answer = {.status = 0, .failure = std::string("internal error: ") + error.what()};
    }
    // What was deleted meanwhile took its deliveries along.
    if (destination->state == State::gone) co_return Outcome::nothing_waits;
    try {
      if (answer.accepted()) {
        note_success(*destination, *webhook, *delivery);
      } else {
        note_failure(*destination, *webhook, *delivery, answer.failure);
      }
    } catch (const StoreError& error) {
      spdlog::error("webhook: the outcome of a delivery cannot be stored webhook={} cause=\"{}\"",
                    destination->id, error.what());
    }
    co_return answer.accepted() ? Outcome::accepted : Outcome::failed;
  }

  void note_success(Destination& destination, const Webhook& webhook, const Delivery& delivery) {
    if (destination.failures > 0 || destination.given_up > 0) {
      spdlog::info("webhook works again webhook={} url={} given_up={}", webhook.id, shown(webhook.url),
                   destination.given_up);
    }
    destination.failures = 0;
    destination.given_up = 0;
    destination.done = delivery.sequence;
    store.delivered(webhook.id, delivery.sequence, settings.now());
  }

  void note_failure(Destination& destination, const Webhook& webhook, const Delivery& delivery,
                    const std::string& why) {
    if (destination.failures++ == 0) {
      spdlog::warn("webhook failed, and is tried again webhook={} url={} cause=\"{}\"", webhook.id,
                   shown(webhook.url), why);
    }
    const Timestamp now = settings.now();
    store.failed(webhook.id, now);
    if (delivery.created > now - settings.give_up_after) return;
    const std::size_t dropped = store.drop_deliveries(webhook.id, now - settings.give_up_after);
    spdlog::warn("webhook: notifications are given up webhook={} url={} count={} cause=\"{}\"", webhook.id,
                 shown(webhook.url), dropped, why);
  }

  const asio::any_io_executor executor;
  NotificationStore& store;
  const Post post;
  const Settings settings;
  std::map<std::string, DestinationPtr> destinations;
  std::deque<DestinationPtr> queue;
  std::size_t busy = 0;
  std::size_t busy_failing = 0;  // of those, to webhooks that failed before
};

WebhookDelivery::WebhookDelivery(asio::any_io_executor executor, NotificationStore& store, Post post,
                                 Settings settings)
    : impl_(std::make_shared<Impl>(std::move(executor), store, std::move(post), std::move(settings))) {}

WebhookDelivery::~WebhookDelivery() {
  for (auto& [id, destination] : impl_->destinations) destination->state = Destination::State::gone;
}

void WebhookDelivery::start() {
  for (const std::string& id : impl_->store.webhooks_with_deliveries(impl_->settings.account)) wake(id);
}

void WebhookDelivery::wake(const std::string& webhook) {
  impl_->wake(webhook);
}

void WebhookDelivery::gave_up(const std::string& webhook, std::size_t count) {
  impl_->gave_up(webhook, count);
}

void WebhookDelivery::changed(const std::string& webhook) {
  const auto found = impl_->destinations.find(webhook);
  if (found == impl_->destinations.end()) return;
  Destination& destination = *found->second;
  destination.failures = 0;
  if (destination.state == Destination::State::waiting) destination.timer.cancel();
}

void WebhookDelivery::deleted(const std::string& webhook) {
  const auto found = impl_->destinations.find(webhook);
  if (found == impl_->destinations.end()) return;
  found->second->state = Destination::State::gone;
  found->second->timer.cancel();
  impl_->destinations.erase(found);
}

}  // namespace simulcast::control
