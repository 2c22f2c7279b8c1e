// A database file of any bytes: it is opened and read, or refused with a sentence. Also what an earlier
// schema or a slip of the finger has left.
#include <spdlog/spdlog.h>

#include <fstream>

#include "control/store/sqlite_notifications.hpp"
#include "control/store/sqlite_store.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/scratch_directory.hpp"

using namespace simulcast;

namespace {

constexpr const char* kAccount = "023e105f4ecef8ad9ca31a8372d0c353";

void use(control::SqliteStore& store) {
  for (const auto& wanted : store.everything(kAccount)) {
    (void)store.input(kAccount, wanted.input.uid);
    (void)store.update_input(wanted.input);
    for (const auto& output : store.outputs(wanted.input.uid)) (void)store.update_output(output);
  }
  control::LiveInput input;
  input.account = kAccount;
  input.uid = "33333333333333333333333333333333";
  (void)store.insert_input(input, control::IdempotencyKey{"key", {}});
  control::Output output;
  output.uid = input.uid;
  output.input_uid = input.uid;
  (void)store.insert_output(output, 50, control::IdempotencyKey{"key", {}});
  fuzz::check(store.input(kAccount, input.uid).has_value());
  store.check_writable();
  (void)store.delete_input(kAccount, input.uid);
}

void use(control::SqliteNotifications& store) {
  for (const auto& policy : store.policies(kAccount)) (void)store.update_policy(policy);
  for (const auto& webhook : store.webhooks(kAccount)) (void)store.update_webhook(webhook);
  for (const std::string& id : store.webhooks_with_deliveries(kAccount)) {
    if (const auto delivery = store.next_delivery(id, 0)) store.delivered(id, delivery->sequence, {});
    (void)store.drop_deliveries(id, {});
  }
  control::Webhook webhook;
  webhook.account = kAccount;
  webhook.id = "44444444444444444444444444444444";
  (void)store.insert_webhook(webhook, 1000, std::nullopt);
  control::Policy policy;
  policy.account = kAccount;
  policy.id = "55555555555555555555555555555555";
  policy.webhooks = {webhook.id};
  (void)store.insert_policy(policy, 1000, control::IdempotencyKey{"key", {}});
  (void)store.push({{0, webhook.id, {}, "{}"}}, {});
  (void)store.delete_webhook(kAccount, webhook.id);
  (void)store.delete_policy(kAccount, policy.id);
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  static const ScratchDirectory directory;
  spdlog::set_level(spdlog::level::off);
  const auto file = directory.path() / "simulcastd.db";
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + suffix);
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    control::SqliteStore store(file);
    use(store);
    control::SqliteNotifications notifications(store.database());
    use(notifications);
  } catch (const control::StoreError& error) {
    check(*error.what() != '\0');
  }
}
