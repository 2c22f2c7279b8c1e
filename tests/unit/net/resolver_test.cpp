// Names that answer beside names that never do, and names that answered once.
#include "net/resolver.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/nss.hpp"

namespace simulcast::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;
using namespace std::chrono_literals;

// A name server on loopback: says 127.0.0.N for the names it is told, that there is no such name for those in
// `unknown`, and nothing for all others.
class StubServer {
 public:
  explicit StubServer(asio::io_context& context)
      : socket_(context, udp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    receive();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port()); }
  void close() { socket_.close(); }

  std::map<std::string, unsigned char> known;
  std::set<std::string> unknown;
  std::map<std::string, int> asked;

 private:
  void receive() {
    socket_.async_receive_from(asio::buffer(question_), peer_, [this](error_code ec, std::size_t size) {
      if (ec) return;
      answer(size);
      receive();
    });
  }

  // RFC 1035, 4.1: the question again, and an A record that points to its name.
  void answer(std::size_t size) {
    std::string name;
    std::size_t at = 12;
    while (at < size && question_[at] != 0) {
      if (!name.empty()) name += '.';
      name.append(reinterpret_cast<const char*>(&question_[at + 1]), question_[at]);
      at += 1 + question_[at];
    }
    const bool is_a = question_[at + 2] == 1;
    ++asked[name];
    const bool is_unknown = unknown.contains(name);
    const auto found = known.find(name);
    if (found == known.end() && !is_unknown) return;
    std::vector<unsigned char> reply(question_.begin(),
                                     question_.begin() + static_cast<std::ptrdiff_t>(at + 5));
    reply[2] = 0x81;
    reply[3] = is_unknown ? 0x83 : 0x80;
    reply[7] = 0;                          // answers
    reply[9] = reply[10] = reply[11] = 0;  // and nothing else
    if (is_a && !is_unknown) {
      reply[7] = 1;
      for (const unsigned char byte : {0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0})
        reply.push_back(byte);
      reply.push_back(found->second);
    }
    socket_.send_to(asio::buffer(reply), peer_);
  }

  udp::socket socket_;
  udp::endpoint peer_;
  std::array<unsigned char, 1500> question_{};
};

struct ResolverTest : testing::Test {
  struct Question {
    std::vector<tcp::endpoint> found;
    std::optional<error_code> ec;
    asio::cancellation_signal give_up;
  };

  ResolverTest() : server(context), resolver(Resolver::Options{server.address(), 50ms}) {}

  Question& ask(const std::string& host) {
    Question& question = questions.emplace_back();
    asio::co_spawn(
        context,
        [this, host, &question]() -> asio::awaitable<void> {
          question.ec = co_await resolver.resolve(host, 1935, question.found);
        },
        asio::bind_cancellation_slot(question.give_up.slot(), asio::detached));
    return question;
  }
  // The limit only ends a hang.
  void run_until(const std::function<bool()>& is_so) {
    const auto limit = std::chrono::steady_clock::now() + 60s;
    while (!is_so() && std::chrono::steady_clock::now() < limit) context.run_one_for(20ms);
    ASSERT_TRUE(is_so());
  }
  static std::string text_of(const Question& question) {
    std::string text;
    for (const auto& one : question.found) {
      text += (text.empty() ? "" : " ") + one.address().to_string() + ":" + std::to_string(one.port());
    }
    return text;
  }

  asio::io_context context{1};
  StubServer server;
  Resolver resolver;
  std::deque<Question> questions;
};

TEST_F(ResolverTest, FindsANameAndSaysWhenThereIsNone) {
  server.known["good.test"] = 7;
  server.unknown.insert("nobody.test");
  const Question& good = ask("good.test");
  const Question& nobody = ask("nobody.test");
  run_until([&] { return good.ec && nobody.ec; });
  EXPECT_FALSE(*good.ec);
  EXPECT_EQ(text_of(good), "127.0.0.7:1935");
  EXPECT_EQ(*nobody.ec, asio::error::host_not_found);
  EXPECT_EQ(resolver.lookups(), 0U);
}

TEST_F(ResolverTest, NamesThatNobodyAnswersForHoldUpNoOther) {
  for (int i = 0; i < 340; ++i) ask("dead-" + std::to_string(i) + ".test");
  run_until([&] { return server.asked.size() >= 340; });
  server.known["good.test"] = 7;
  const Question& good = ask("good.test");
  run_until([&] { return good.ec.has_value(); });
  EXPECT_EQ(text_of(good), "127.0.0.7:1935");
  for (int i = 0; i < 340; ++i) EXPECT_FALSE(questions[static_cast<std::size_t>(i)].ec) << i;
  EXPECT_EQ(resolver.lookups(), 340U);
}

TEST_F(ResolverTest, WhatNobodyWaitsForIsGivenUp) {
  for (int i = 0; i < 300; ++i) ask("dead-" + std::to_string(i) + ".test");
  Question& first = ask("shared.test");
  const Question& second = ask("shared.test");
  run_until([&] { return resolver.lookups() == 301; });
  for (int i = 0; i < 300; ++i)
    questions[static_cast<std::size_t>(i)].give_up.emit(asio::cancellation_type::terminal);
  first.give_up.emit(asio::cancellation_type::terminal);
  run_until([&] { return resolver.lookups() == 1; });
  server.known["shared.test"] = 9;
  run_until([&] { return second.ec.has_value(); });
  EXPECT_EQ(text_of(second), "127.0.0.9:1935") << "somebody still waited for this one";
  EXPECT_EQ(*first.ec, asio::error::operation_aborted);
}

TEST_F(ResolverTest, LookupsAreBounded) {
  for (std::size_t i = 0; i < Resolver::kMostLookups; ++i) ask("dead-" + std::to_string(i) + ".test");
  run_until([&] { return resolver.lookups() == Resolver::kMostLookups; });
  const Question& one_more = ask("good.test");
  run_until([&] { return one_more.ec.has_value(); });
  EXPECT_EQ(*one_more.ec, asio::error::host_not_found_try_again);
}

TEST_F(ResolverTest, TheLastAddressServesWhenNobodyAnswers) {
  server.known["good.test"] = 7;
  const Question& before = ask("good.test");
  run_until([&] { return before.ec.has_value(); });
  server.known.clear();
  const Question& during = ask("good.test");
  run_until([&] { return during.ec.has_value(); });
  EXPECT_EQ(text_of(during), "127.0.0.7:1935");
  server.known["good.test"] = 8;
  const Question& after = ask("good.test");
  run_until([&] { return after.ec.has_value(); });
  EXPECT_EQ(text_of(after), "127.0.0.8:1935") << "each try asks anew";
}

TEST_F(ResolverTest, TheLastAddressIsForgottenWhenTheNameIsGone) {
  server.known["good.test"] = 7;
  const Question& before = ask("good.test");
  run_until([&] { return before.ec.has_value(); });
  server.known.clear();
  server.unknown.insert("good.test");
  const Question& gone = ask("good.test");
  run_until([&] { return gone.ec.has_value(); });
  EXPECT_EQ(*gone.ec, asio::error::host_not_found);
  server.unknown.clear();
  const Question& silent = ask("good.test");
  run_until([&] { return server.asked["good.test"] >= 5; });
  EXPECT_FALSE(silent.ec) << "there is nothing to serve in its place";
}

TEST_F(ResolverTest, MayEndWithLookupsUnderWay) {
  for (int i = 0; i < 20; ++i) ask("dead-" + std::to_string(i) + ".test");
  run_until([&] { return server.asked.size() >= 5; });
  for (auto& question : questions) question.give_up.emit(asio::cancellation_type::terminal);
  context.poll();
}

TEST(Nss, TellsWhetherThereAreOtherSourcesThanFilesAndDns) {
  EXPECT_FALSE(has_other_name_sources("passwd: files systemd\nhosts: files dns # mymachines\n"));
  EXPECT_FALSE(has_other_name_sources("hosts:\tdns [!UNAVAIL=return] files"));
  EXPECT_FALSE(has_other_name_sources("hosts: files [NOTFOUND = return] dns"));
  EXPECT_FALSE(has_other_name_sources(""));
  EXPECT_TRUE(has_other_name_sources("hosts: files mdns4_minimal [NOTFOUND=return] dns\n"));
  EXPECT_TRUE(has_other_name_sources(
      "#hosts: files\nhosts: mymachines resolve [!UNAVAIL=return] files myhostname dns"));
}

}  // namespace
}  // namespace simulcast::net
