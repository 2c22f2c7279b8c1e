#include "control/api/metrics.hpp"

#include <gmock/gmock.h>

#include "api_fixture.hpp"
#include "control/api/observers.hpp"

namespace simulcast::control::test {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

namespace {

class MetricsTest : public testing::Test {
 protected:
  Request get(const std::string& target = "/metrics", const std::string& method = "GET") const {
    Request request{.method = method, .target = target, .headers = {}, .body = ""};
    request.from = boost::asio::ip::make_address("192.0.2.1");
    return request;
  }

  StubEngine engine_;
  Metrics::Clock::time_point now_{1h};
  Metrics metrics_{engine_, [this] { return now_; }};
};

TEST_F(MetricsTest, AreBuiltOnceForAllWhoAskWithinASecond) {
  const Text first = metrics_.text();
  for (int i = 0; i < 900; ++i) EXPECT_EQ(metrics_.text(), first);  // the very same
  now_ += 999ms;
  EXPECT_EQ(metrics_.response().shared, first);
  EXPECT_EQ(engine_.asked, 1U);
  now_ += 1ms;
  EXPECT_NE(metrics_.text(), first);
  EXPECT_EQ(engine_.asked, 2U);
}

// With very many outputs: then the thread has other things to do as well.
TEST_F(MetricsTest, ATextThatTakesLongToBuildStaysForLonger) {
  engine_.while_asked = [this] { now_ += 500ms; };
  metrics_.text();
  now_ += 4999ms;
  metrics_.text();
  EXPECT_EQ(engine_.asked, 1U);
  now_ += 1ms;
  metrics_.text();
  EXPECT_EQ(engine_.asked, 2U);
}

TEST_F(MetricsTest, LongNamesAreCut) {
  std::string name(std::size_t{1} << 20, 'x');
  name.replace(InputSnapshot::kMaxName - 1, 2, "\u00e4");
  engine_.snapshots = {
      {.uid = "i", .name = name, .status = {}, .stats = {}, .outputs = {{"o", name, {}, {}}}}};
  const std::string shown(InputSnapshot::kMaxName - 1, 'x');
  const Text text = metrics_.text();
  EXPECT_THAT(*text, HasSubstr(R"(simulcastd_input_info{input="i",name=")" + shown + R"("} 1)"));
  EXPECT_THAT(*text, HasSubstr(R"(simulcastd_output_info{input="i",output="o",name=")" + shown + R"("} 1)"));
  EXPECT_LT(text->size(), 20'000U);
}

TEST_F(MetricsTest, OfMethodsOnlyThoseThatExistAreTold) {
  metrics_.request_answered("GET", 200, 1ms);
  metrics_.request_answered("A-METHOD-OF-SOMEBODY", 405, 1ms);
  EXPECT_THAT(*metrics_.text(), HasSubstr(R"({method="other",status="405"} 1)"));
  EXPECT_THAT(*metrics_.text(), Not(HasSubstr("SOMEBODY")));
}

TEST_F(MetricsTest, ThePageIsForThemAlone) {
  MetricsPage page(metrics_, 1000);
  EXPECT_EQ(page.handle(get()).shared, metrics_.text());
  EXPECT_EQ(page.handle(get("/metrics?x=y")).status, 200U);
  EXPECT_EQ(page.handle(get("/healthz")).status, 404U);
  EXPECT_EQ(page.handle(get("/metrics", "POST")).status, 405U);
}

TEST_F(MetricsTest, ThePageAnswersSoManyRequestsOfOneClient) {
  MetricsPage page(metrics_, 1);
  unsigned refused = 0;
  for (int i = 0; i < 1000; ++i) {
    const Response response = page.handle(get());
    if (response.status == 200) continue;
    ++refused;
    EXPECT_EQ(response.status, 429U);
    EXPECT_THAT(response.headers, testing::Contains(testing::Pair("Retry-After", "1")));
  }
  EXPECT_GT(refused, 0U);
  Request here = get();
  here.from_this_machine = true;
  EXPECT_EQ(page.handle(here).status, 200U);
}

}  // namespace

}  // namespace simulcast::control::test
