// Calls of the API with a good token, one after the other, so that one may change what the one before has
// made. The input is a row of records: u8 which call (see kCalls; 0x80: with an Idempotency-Key), u16 length,
// the body.
#include <array>

#include "protocol/big_endian.hpp"
#include "tests/fuzz/api_under_test.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

struct Call {
  const char* method;
  const char* path;  // under live_inputs; I and O stand for the input and the output that are there
};

constexpr std::array kCalls{
    Call{"POST", ""},
    Call{"PUT", "/I"},
    Call{"POST", "/I/outputs"},
    Call{"PUT", "/I/outputs/O"},
    Call{"GET", ""},
    Call{"GET", "/I"},
    Call{"GET", "/I/outputs"},
    Call{"GET", "/I/outputs/O"},
    Call{"DELETE", "/I/outputs/O"},
    Call{"DELETE", "/I"},
    Call{"POST", "/I/disable"},
    Call{"POST", "/I/rotate_keys"},
    Call{"GET", "/I/videos"},
    Call{"OPTIONS", "/I"},
    Call{"POST", "/I/enable"},
    Call{"PATCH", "/I"},
};

std::string target_of(const Call& call) {
  std::string target =
      std::string("/client/v4/accounts/") + fuzz::ApiUnderTest::kAccount + "/stream/live_inputs";
  for (const char* c = call.path; *c != '\0'; ++c) {
    if (*c == 'I') {
      target += fuzz::ApiUnderTest::kInput;
    } else if (*c == 'O') {
      target += fuzz::ApiUnderTest::kOutput;
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
    const Call& call = kCalls[which % kCalls.size()];
    control::Request request{call.method, target_of(call), {}, {}};
    request.headers.emplace_back("authorization", std::string("Bearer ") + ApiUnderTest::kToken);
    if ((which & 0x80) != 0) request.headers.emplace_back("Idempotency-Key", std::to_string(which));
    request.body.assign(reinterpret_cast<const char*>(body.data()), body.size());
    api.handle(request);
  }
  api.settle();
}
