#include "protocol/rtmp/handshake.hpp"

#include <gtest/gtest.h>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/handshake_digest.hpp"
#include "tests/unit/protocol/bytes.hpp"

namespace simulcast::rtmp {
namespace {

using test::Bytes;
using test::hex;
using test::pattern;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

constexpr std::size_t kAll = 1 + 2 * kHandshakePacket;

Bytes simple_c1() {
  return hex("00000000 00000000") + pattern(kHandshakePacket - 8);
}

// Feeds in pieces; returns what was sent.
template <typename Handshake>
Bytes run(Handshake& handshake, std::span<const std::byte> input, std::size_t piece) {
  Bytes sent;
  while (!input.empty() && !handshake.done()) {
    auto in = input.first(std::min(piece, input.size()));
    const std::size_t before = in.size();
    EXPECT_FALSE(handshake.read(in, sent));
    input = input.subspan(before - in.size());
    EXPECT_TRUE(in.empty() || handshake.done());
  }
  return sent;
}

TEST(ServerHandshake, AnswersTheSimpleFormWithAnEcho) {
  const Bytes c1 = simple_c1();
  for (const std::size_t piece : {1UL, 100UL, 1537UL, 10'000UL}) {
    ServerHandshake handshake(1);
    const Bytes sent = run(handshake, hex("03") + c1 + pattern(kHandshakePacket), piece);
    ASSERT_EQ(sent.size(), kAll);
    EXPECT_TRUE(handshake.done());
    EXPECT_EQ(sent[0], std::byte{3});
    // Another version here makes clients look for a digest.
    EXPECT_EQ(Bytes(sent.begin() + 5, sent.begin() + 9), hex("00000000"));
    EXPECT_TRUE(std::equal(c1.begin(), c1.end(), sent.begin() + 1 + kHandshakePacket));
  }
}

TEST(ServerHandshake, LeavesWhatFollows) {
  ServerHandshake handshake(1);
  const Bytes input = hex("03") + simple_c1() + pattern(kHandshakePacket) + hex("02 00 00");
  std::span<const std::byte> in(input);
  Bytes sent;
  EXPECT_FALSE(handshake.read(in, sent));
  EXPECT_TRUE(handshake.done());
  EXPECT_EQ(in.size(), 3U);
}

TEST(ServerHandshake, AnswersOnlyOnceC1IsWhole) {
  ServerHandshake handshake(1);
  const Bytes input = hex("03") + simple_c1();
  EXPECT_TRUE(run(handshake, std::span(input).first(kHandshakePacket), 500).empty());
  EXPECT_EQ(run(handshake, std::span(input).subspan(kHandshakePacket), 500).size(), kAll);
  EXPECT_FALSE(handshake.done());
}

TEST(ServerHandshake, SignsWhenTheClientDoes) {
  for (const std::size_t base : {std::size_t{8}, std::size_t{772}}) {
    Bytes c1 = hex("00000000 09007c02") + pattern(kHandshakePacket - 8);
    sign_c1(c1, base);
    ASSERT_TRUE(find_client_digest(c1));
    ServerHandshake handshake(1);
    const Bytes sent = run(handshake, hex("03") + c1, 10'000);
    ASSERT_EQ(sent.size(), kAll);
    const auto s1 = std::span(sent).subspan(1, kHandshakePacket);
    EXPECT_NE(s1[4], std::byte{0});
    const auto found = find_server_digest(s1);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->base, base);
    Bytes s2(sent.begin() + 1 + kHandshakePacket, sent.end());
    const Bytes answered = s2;
    sign_s2(s2, find_client_digest(c1)->digest);
    EXPECT_EQ(s2, answered);
  }
}

TEST(ServerHandshake, AVersionWithoutDigestIsAnsweredSimply) {
  const Bytes c1 = hex("00000000 09007c02") + pattern(kHandshakePacket - 8);
  ServerHandshake handshake(1);
  const Bytes sent = run(handshake, hex("03") + c1, 10'000);
  EXPECT_EQ(Bytes(sent.begin() + 5, sent.begin() + 9), hex("00000000"));
  EXPECT_TRUE(std::equal(c1.begin(), c1.end(), sent.begin() + 1 + kHandshakePacket));
}

TEST(ServerHandshake, FindsTheDigestOfFfmpeg) {
  const Bytes recorded = test::fixture("ffmpeg.bin");
  EXPECT_TRUE(find_client_digest(std::span(recorded).subspan(1, kHandshakePacket)));
  const Bytes simple = test::fixture("rtmpsink.bin");
  EXPECT_FALSE(find_client_digest(std::span(simple).subspan(1, kHandshakePacket)));
}

TEST(ServerHandshake, RecognisesOtherProtocolsAtTheFirstByte) {
  const std::vector<std::pair<std::string_view, Error>> strangers{
      {"16", Error::tls_on_plain_port},     {"'GET'", Error::http_on_rtmp_port},
      {"'POST'", Error::http_on_rtmp_port}, {"06", Error::encrypted_rtmp},
      {"08", Error::encrypted_rtmp},        {"'SSH-2.0'", Error::bad_version},
      {"00", Error::bad_version},           {"ff", Error::bad_version}};
  for (const auto& [bytes, error] : strangers) {
    ServerHandshake handshake(1);
    const Bytes input = hex(bytes);
    std::span<const std::byte> in(input);
    Bytes sent;
    EXPECT_EQ(handshake.read(in, sent), error) << bytes;
    EXPECT_TRUE(sent.empty());
  }
}

TEST(ClientHandshake, SendsTheSimpleFormAndEchoesS1) {
  ClientHandshake handshake(1);
  Bytes hello;
  handshake.start(hello);
  ASSERT_EQ(hello.size(), 1 + kHandshakePacket);
  EXPECT_EQ(Bytes(hello.begin(), hello.begin() + 9), hex("03 00000000 00000000"));
  const Bytes answer = test::fixture("nginx_accepts.bin");
  for (const std::size_t piece : {1UL, 1460UL}) {
    ClientHandshake other(1);
    const Bytes sent = run(other, answer, piece);
    EXPECT_EQ(sent, Bytes(answer.begin() + 1, answer.begin() + 1 + kHandshakePacket));
    EXPECT_TRUE(other.done());
  }
}

TEST(ClientHandshake, RecognisesOtherServers) {
  for (const auto& [bytes, error] :
       std::vector<std::pair<std::string_view, Error>>{{"15 03 01", Error::tls_expected},
                                                       {"'HTTP/1.1 400'", Error::http_answer},
                                                       {"'SSH-'", Error::bad_version}}) {
    ClientHandshake handshake(1);
    const Bytes input = hex(bytes);
    std::span<const std::byte> in(input);
    Bytes sent;
    EXPECT_EQ(handshake.read(in, sent), error);
  }
}

TEST(Handshake, BothEndsAgree) {
  ClientHandshake client(5);
  ServerHandshake server(6);
  Bytes to_server;
  Bytes to_client;
  client.start(to_server);
  std::span<const std::byte> in(to_server);
  ASSERT_FALSE(server.read(in, to_client));
  Bytes c2;
  in = to_client;
  ASSERT_FALSE(client.read(in, c2));
  EXPECT_TRUE(client.done());
  in = c2;
  Bytes nothing;
  ASSERT_FALSE(server.read(in, nothing));
  EXPECT_TRUE(server.done());
  EXPECT_TRUE(nothing.empty());
}

}  // namespace
}  // namespace simulcast::rtmp
