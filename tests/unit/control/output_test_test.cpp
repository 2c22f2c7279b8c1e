// Trying a destination out over the API: that none which is on the air is touched.
#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "api_fixture.hpp"

namespace simulcast::control::test {

namespace {

namespace asio = boost::asio;
namespace ip = boost::asio::ip;

class OutputTestTest : public ApiTest {
 protected:
  OutputTestTest() {
    engine_.tested.ok = true;
    parts_.look_up = [this](std::string host) { return look_up(std::move(host)); };
    input_ = new_input();
    engine_.snapshots = {{.uid = input_, .name = {}, .status = {}, .stats = {}, .outputs = {}}};
    engine_.status.state = media::OutputState::live;
  }

  asio::awaitable<std::vector<ip::address>> look_up(std::string host) {
    asked_.push_back(host);
    std::vector<ip::address> found;
    boost::system::error_code error;
    if (const auto literal = ip::make_address(host, error); !error) found.push_back(literal);
    for (const char* address : names_[host]) found.push_back(ip::make_address(address));
    co_return found;
  }

  unsigned test(const std::string& url, const std::string& key) {
    const json::object body{{"url", url}, {"streamKey", key}};
    Request request{"POST", outputs_path(input_) + "/test", {}, json::serialize(body)};
    request.headers.emplace_back("authorization", "Bearer " + kToken);
    return answer(request).status;
  }

  std::string input_;
  std::map<std::string, std::vector<const char*>> names_;
  std::vector<std::string> asked_;
};

TEST_F(OutputTestTest, AnotherSpellingOfOneOnTheAirIsRefused) {
  new_output(input_, R"({"url": "rtmp://127.0.0.1:1940/live", "streamKey": "k"})");
  for (const char* url : {"rtmp://127.0.0.1:1940/live", "rtmp://localhost:1940/live",
                          "RTMP://127.1:1940/live?", "rtmp://[::ffff:127.0.0.1]:1940/live/"}) {
    EXPECT_EQ(test(url, "k"), 409U) << url;
    EXPECT_EQ(test(url, "other"), 200U) << url;
  }
  EXPECT_TRUE(asked_.empty());
  engine_.status.state = media::OutputState::retrying;
  EXPECT_EQ(test("rtmp://localhost:1940/live", "k"), 200U);
}

TEST_F(OutputTestTest, NamesAreComparedByTheirAddresses) {
  names_["live.example.com"] = {"192.0.2.1", "192.0.2.2"};
  names_["alias.example.com"] = {"192.0.2.3", "::ffff:192.0.2.2"};
  names_["backup.example.com"] = {"192.0.2.4"};
  new_output(input_, R"({"url": "rtmp://live.example.com/app", "streamKey": "k"})");
  EXPECT_EQ(test("rtmp://alias.example.com/app", "k"), 409U);
  EXPECT_EQ(test("rtmp://192.0.2.1/app", "k"), 409U);
  EXPECT_EQ(test("rtmp://backup.example.com/app", "k"), 200U);
  EXPECT_EQ(test("rtmp://not-found.example.com/app", "k"), 200U);
  asked_.clear();
  EXPECT_EQ(test("rtmp://alias.example.com/app", "other"), 200U);
  EXPECT_TRUE(asked_.empty()) << "only for the same stream";
}

TEST_F(OutputTestTest, SoManyNamesAreLookedUpAndNoMore) {
  for (int i = 0; i < 40; ++i) {
    new_output(input_,
               R"({"url": "rtmp://h)" + std::to_string(i) + R"(.example.com/app", "streamKey": "k"})");
  }
  EXPECT_EQ(test("rtmp://wanted.example.com/app", "k"), 200U);
  EXPECT_EQ(asked_.size(), 9U);
}

}  // namespace

}  // namespace simulcast::control::test
