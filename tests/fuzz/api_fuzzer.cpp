// Calls of the API with a good token, one after the other, so that one may change what the one before has
// made, and between them what webhooks are told of. The input is a row of records: u8 which call (see kCalls;
// 0x80: with an Idempotency-Key), u16 length, the body.
#include <array>

#include "protocol/big_endian.hpp"
#include "tests/fuzz/api_under_test.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

struct Call {
  const char* method;
  const char* path;  // below the account; I, O, W and P stand for the input, output, webhook and policy that
                     // are there
};

constexpr std::array kCalls{
    Call{"POST", "stream/live_inputs"},
    Call{"PUT", "stream/live_inputs/I"},
    Call{"POST", "stream/live_inputs/I/outputs"},
    Call{"PUT", "stream/live_inputs/I/outputs/O"},
    Call{"GET", "stream/live_inputs"},
    Call{"GET", "stream/live_inputs/I"},
    Call{"GET", "stream/live_inputs/I/outputs"},
    Call{"GET", "stream/live_inputs/I/outputs/O"},
    Call{"DELETE", "stream/live_inputs/I/outputs/O"},
    Call{"DELETE", "stream/live_inputs/I"},
    Call{"POST", "stream/live_inputs/I/disable"},
    Call{"POST", "stream/live_inputs/I/rotate_keys"},
    Call{"GET", "stream/live_inputs/I/videos"},
    Call{"OPTIONS", "stream/live_inputs/I"},
    Call{"POST", "stream/live_inputs/I/enable"},
    Call{"PATCH", "stream/live_inputs/I"},
    Call{"POST", "stream/live_inputs/I/outputs/test"},
    Call{"POST", "stream/live_inputs/I/outputs/O/retry"},
    Call{"GET", "stream/events"},
    Call{"POST", "alerting/v3/destinations/webhooks"},
    Call{"PUT", "alerting/v3/destinations/webhooks/W"},
    Call{"GET", "alerting/v3/destinations/webhooks"},
    Call{"GET", "alerting/v3/destinations/webhooks/W"},
    Call{"DELETE", "alerting/v3/destinations/webhooks/W"},
    Call{"POST", "alerting/v3/policies"},
    Call{"PUT", "alerting/v3/policies/P"},
    Call{"GET", "alerting/v3/policies"},
    Call{"GET", "alerting/v3/policies/P"},
    Call{"DELETE", "alerting/v3/policies/P"},
};
// Instead of a call: something happens to the input, or to the output.
constexpr std::uint32_t kInputHappens = kCalls.size();
constexpr std::uint32_t kOutputHappens = kInputHappens + 1;
constexpr std::uint32_t kChoices = kOutputHappens + 1;

std::string target_of(const Call& call) {
  std::string target = std::string("/client/v4/accounts/") + fuzz::ApiUnderTest::kAccount + "/";
  for (const char* c = call.path; *c != '\0'; ++c) {
    if (*c == 'I') {
      target += fuzz::ApiUnderTest::kInput;
    } else if (*c == 'O') {
      target += fuzz::ApiUnderTest::kOutput;
    } else if (*c == 'W') {
      target += fuzz::ApiUnderTest::kWebhook;
    } else if (*c == 'P') {
      target += fuzz::ApiUnderTest::kPolicy;
    } else {
      target += *c;
    }
  }
  return target;
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  static ApiUnderTest api;
  constexpr std::size_t kHead = 3;
  auto rest = std::as_bytes(std::span(data, size));
  while (rest.size() >= kHead) {
    const std::uint32_t which = load_u8(rest.data());
    const std::size_t length = std::min<std::size_t>(load_u16(&rest[1]), rest.size() - kHead);
    const auto body = rest.subspan(kHead, length);
    rest = rest.subspan(kHead + length);
    const std::uint32_t choice = (which & 0x7F) % kChoices;
    if (choice == kInputHappens) {
      api.input_happens(body);
      continue;
    }
    if (choice == kOutputHappens) {
      api.output_happens(body);
      continue;
    }
    const Call& call = kCalls[choice];
    control::Request request{call.method, target_of(call), {}, {}};
    request.headers.emplace_back("authorization", std::string("Bearer ") + ApiUnderTest::kToken);
    if ((which & 0x80) != 0) request.headers.emplace_back("Idempotency-Key", std::to_string(which));
    request.body.assign(reinterpret_cast<const char*>(body.data()), body.size());
    api.handle(request);
  }
  api.settle();
}
