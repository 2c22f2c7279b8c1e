#include "control/api/output_test.hpp"

#include <spdlog/spdlog.h>

#include <boost/json/array.hpp>
#include <utility>

#include "control/api/context.hpp"
#include "control/api/on_the_air.hpp"
#include "control/api/output_members.hpp"
#include "control/http/envelope.hpp"
#include "net/srt_url.hpp"

namespace simulcast::control {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::size_t kMaxTests = 16;  // at once

json::object test_json(const media::OutputTest& test) {
  json::array steps;
  for (const auto& step : test.steps) {
    steps.push_back(json::object{
        {"step", step.name},
        {"ok", step.ok},
        {"ms", std::chrono::duration<double, std::milli>(step.took).count()},
        {"message", step.message},
    });
  }
  json::object shown{{"ok", test.ok}, {"message", test.message}};
  shown["steps"] = std::move(steps);
  return shown;
}

// Counts the tests under way, however they end.
class Slot {
 public:
  explicit Slot(std::shared_ptr<std::size_t> count) : count_(std::move(count)) { ++*count_; }
  ~Slot() { --*count_; }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

 private:
  const std::shared_ptr<std::size_t> count_;
};

asio::awaitable<Response> run_test(Context& context, std::string input_uid, Output output, SameStream rivals,
                                   std::vector<Notice> notices) {
  const Slot slot(context.tests_under_way);
  const bool is_same = co_await leads_to_one_of(rivals, context.parts.look_up);
  if (is_same) co_return failure(Problem::on_the_air, kOnTheAir);
  const auto test = co_await context.engine.test_output(output.url, output.stream_key, output.verify_tls);
  spdlog::info("output tested input={} ok={} result=\"{}\"", input_uid, test.ok, test.message);
  co_return success(test_json(test), notices);
}

}  // namespace

Response test_output(Context& context, const Call& call) {
  const json::object body = body_of(call.request);
  const LiveInput input = find_input(context, call);
  Findings findings;
  Output output;
  read_output_members(context.settings, body, true, output, findings);
  if (const auto srt = net::parse_srt_url(output.url);
      net::is_srt_url(output.url) && std::holds_alternative<net::SrtUrl>(srt) &&
      std::get<net::SrtUrl>(srt).mode == net::SrtUrl::Mode::listener) {
    throw RequestError(Problem::bad_output_url,
                       "With mode=listener it is the destination that calls, so there is nothing to test",
                       "/url");
  }
  SameStream rivals = check_not_on_air(context, output);
  if (*context.tests_under_way >= kMaxTests) {
    throw RequestError(
        {{Problem::too_many_requests, "Too many outputs are being tested; try again in a moment", {}}},
        {{"Retry-After", "5"}});
  }
  Response response;
  response.later = [&context, uid = input.uid, output = std::move(output), rivals = std::move(rivals),
                    notices = std::move(findings.notices)] {
    return run_test(context, uid, output, rivals, notices);
  };
  return response;
}

}  // namespace simulcast::control
