// Empties the outbox: sends what waits there to the webhooks, in order, until they have accepted it.
//
// Each webhook has one request under way at most, and all together kAtOnce. One that fails is asked again
// after 1 s, then 2 s, and so on up to an hour; at most kFailingAtOnce requests are under way to such, so
// that those who do answer are not kept waiting. A notification that is a day old when a try fails is given
// up. At least once: what was accepted but could not be taken off the list is sent again after a restart.
//
// Owned by Notifier, lives on the control thread and does not block it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "control/notifications/webhook_client.hpp"
#include "control/store/notification_store.hpp"
#include "control/store/timestamps.hpp"

namespace simulcast::control {

class WebhookDelivery {
 public:
  static constexpr std::size_t kAtOnce = 16;
  static constexpr std::size_t kFailingAtOnce = 8;

  struct Settings {
    std::string account;
    std::chrono::milliseconds first_wait{1000};  // behind a failure; doubles up to longest_wait
    std::chrono::milliseconds longest_wait{std::chrono::hours{1}};
    std::chrono::hours give_up_after{24};
    std::function<Timestamp()> now = system_now;
  };
  using Post = std::function<boost::asio::awaitable<WebhookAnswer>(WebhookRequest)>;

  // `store` must outlive this; requests that are still under way when this goes are forgotten.
  WebhookDelivery(boost::asio::any_io_executor executor, NotificationStore& store, Post post,
                  Settings settings);
  ~WebhookDelivery();
  WebhookDelivery(const WebhookDelivery&) = delete;
  WebhookDelivery& operator=(const WebhookDelivery&) = delete;

  // What an earlier run has left. Throws StoreError.
  void start();
  // Something waits for this webhook.
  void wake(const std::string& webhook);
  // It has another address or secret: no need to wait any longer.
  void changed(const std::string& webhook);
  void deleted(const std::string& webhook);
  // So many that waited for it are given up, as there were too many. The log says so once, until it works
  // again.
  void gave_up(const std::string& webhook, std::size_t count);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace simulcast::control
