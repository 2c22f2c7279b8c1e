#include "protocol/rtmp/client_session.hpp"

#include <gtest/gtest.h>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"
#include "protocol/rtmp/server_session.hpp"
#include "tests/unit/protocol/session_driver.hpp"

namespace simulcast::rtmp {
namespace {

using amf0::Null;
using amf0::Object;
using amf0::Value;
using test::Bytes;
using test::feed;
using test::hex;
using test::pattern;
using test::Peer;
using test::simple_handshake;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

ClientOptions options() {
  ClientOptions options;
  options.tc_url = "rtmp://host/app?token=T0KEN";
  options.app = "app?token=T0KEN";
  options.stream_name = "KEY-1234?s_bl=1";
  options.trail.append(0xAB);
  options.handshake_seed = 1;
  return options;
}

// A destination up to a given point, against a session.
struct Destination {
  ClientSession session{options()};
  Peer peer;
  std::vector<std::vector<Value>> commands;  // what the session has sent so far

  Destination() {
    session.start();
    collect({});
  }

  test::Fed<ClientSession> send(const Bytes& bytes) {
    auto fed = feed(session, bytes);
    collect(fed.sent);
    return fed;
  }
  test::Fed<ClientSession> command(std::initializer_list<Value> values, std::uint32_t stream_id = 0) {
    return send(peer.command(values, stream_id));
  }
  test::Fed<ClientSession> status(std::string_view level, std::string_view code,
                                  std::string_view description) {
    return command({"onStatus", 0.0, Null{},
                    Object{{{"level", level}, {"code", code}, {"description", description}}, {}}},
                   1);
  }
  void connected() {
    send(simple_handshake());
    command({"_result", 1.0, Object{}, Object{{{"code", "NetConnection.Connect.Success"}}, {}}});
  }
  void publishing() {
    connected();
    command({"_result", 4.0, Null{}, 1.0});
    const auto fed = status("status", "NetStream.Publish.Start", "");
    ASSERT_EQ(fed.events.size(), 1U);
    ASSERT_TRUE(std::holds_alternative<PublishAccepted>(fed.events[0]));
  }
  void collect(const Bytes& sent) {
    Bytes all = session.output();
    session.output().clear();
    for (auto& command : peer.commands(all + sent)) commands.push_back(std::move(command));
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& command : commands) names.emplace_back(command[0].as_string().value_or("?"));
    return names;
  }
};

Rejected rejection(const test::Fed<ClientSession>& fed) {
  if (fed.events.size() != 1 || !std::holds_alternative<Rejected>(fed.events[0])) {
    ADD_FAILURE() << "no rejection";
    return {};
  }
  return std::get<Rejected>(fed.events[0]);
}

using Names = std::vector<std::string>;

TEST(ClientSession, PublishesInTheOrderOfObs) {
  Destination destination;
  destination.send(simple_handshake());
  EXPECT_EQ(destination.peer.chunk_size(), 4096U);
  ASSERT_EQ(destination.names(), Names{"connect"});
  const Value& connect = destination.commands[0][2];
  EXPECT_EQ(connect.string_of("app"), "app?token=T0KEN");
  EXPECT_EQ(connect.string_of("tcUrl"), "rtmp://host/app?token=T0KEN");
  EXPECT_EQ(connect.string_of("type"), "nonprivate");
  EXPECT_EQ(connect.string_of("simulcastdTrail"), "00000000000000ab");

  destination.command({"_result", 1.0, Object{}, Object{}});
  EXPECT_EQ(destination.names(), (Names{"connect", "releaseStream", "FCPublish", "createStream"}));
  EXPECT_EQ(destination.commands[1][3], Value("KEY-1234?s_bl=1"));

  destination.command({"_result", 4.0, Null{}, 5.0});
  ASSERT_EQ(destination.names().back(), "publish");
  EXPECT_EQ(destination.commands.back(),
            (std::vector<Value>{"publish", 5.0, Null{}, "KEY-1234?s_bl=1", "live"}));
  EXPECT_EQ(destination.peer.stream_ids().back(), 5U);
  EXPECT_EQ(destination.session.stream_id(), 5U);

  EXPECT_EQ(destination.status("status", "NetStream.Publish.Start", "").events.size(), 1U);
  destination.session.finish();
  destination.collect({});
  EXPECT_EQ(destination.names(), (Names{"connect", "releaseStream", "FCPublish", "createStream", "publish",
                                        "FCUnpublish", "deleteStream"}));
  EXPECT_EQ(destination.commands.back()[3], Value(5.0));
}

TEST(ClientSession, RecordedServersAreUnderstoodHoweverTheirBytesArrive) {
  for (const std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{100}}) {
    ClientSession accepted(options());
    accepted.start();
    const auto yes = feed(accepted, test::fixture("nginx_accepts.bin"), piece);
    EXPECT_FALSE(yes.error);
    ASSERT_EQ(yes.events.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<PublishAccepted>(yes.events[0]));
    EXPECT_EQ(accepted.stream_id(), 1U);

    ClientSession refused(options());
    refused.start();
    const auto no = feed(refused, test::fixture("nginx_refuses.bin"), piece);
    EXPECT_FALSE(no.error);
    EXPECT_EQ(rejection(no).code, "NetStream.Publish.BadName");
    EXPECT_EQ(rejection(no).description, "Already publishing");
    EXPECT_FALSE(rejection(no).at_connect);
  }
}

TEST(ClientSession, AResultForPublishIsAnAcceptance) {
  Destination destination;
  destination.connected();
  destination.command({"_result", 4.0, Null{}, 1.0});
  EXPECT_EQ(destination.command({"_result", 5.0, Null{}}).events.size(), 1U);
  // The status that follows is no second acceptance.
  EXPECT_TRUE(destination.status("status", "NetStream.Publish.Start", "").events.empty());
}

TEST(ClientSession, ChunksGrowWithTheServers) {
  for (const auto& [theirs, ours] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {128, 4096}, {4096, 4096}, {60'000, 60'000}, {0x7fffffff, 65'536}}) {
    Destination destination;
    destination.send(simple_handshake());
    destination.send(destination.peer.chunks(set_chunk_size(theirs)));
    destination.peer.writer().set_chunk_size(theirs);
    EXPECT_EQ(destination.session.writer().chunk_size(), 4096U);
    destination.command({"_result", 1.0, Object{}, Object{}});
    EXPECT_EQ(destination.session.writer().chunk_size(), ours);
    EXPECT_EQ(destination.peer.chunk_size(), ours);  // and it was told
    EXPECT_EQ(destination.names().back(), "createStream");
  }
}

TEST(ClientSession, TheServersReasonIsToldWithoutTheKey) {
  Destination connect;
  connect.send(simple_handshake());
  const auto refused = rejection(connect.command({"_error", 1.0, Null{},
                                                  Object{{{"level", "error"},
                                                          {"code", "NetConnection.Connect.Rejected"},
                                                          {"description", "no\r\nT0KEN?token=T0KEN"}},
                                                         {}}}));
  EXPECT_TRUE(refused.at_connect);
  EXPECT_EQ(refused.code, "NetConnection.Connect.Rejected");
  EXPECT_EQ(refused.description, "no T0KEN?***");

  Destination publish;
  publish.connected();
  publish.command({"_result", 4.0, Null{}, 1.0});
  const auto bad_name =
      rejection(publish.status("error", "NetStream.Publish.BadName", "KEY-1234 / KEY-1234?s_bl=1"));
  EXPECT_FALSE(bad_name.at_connect);
  EXPECT_EQ(bad_name.description, "*** / ***");

  Destination stream;
  stream.connected();
  EXPECT_EQ(rejection(stream.command({"_error", 4.0, Null{}, Object{{{"code", "X"}}, {}}})).code, "X");
  Destination silent;
  silent.connected();
  EXPECT_EQ(rejection(silent.command({"_error", 4.0})).code, "");

  Destination later;
  later.publishing();
  EXPECT_EQ(rejection(later.status("error", "NetStream.Publish.Failed", "Too long")).description, "Too long");
  EXPECT_TRUE(later.status("error", "NetStream.Publish.Failed", "Too long").events.empty());  // once
}

TEST(ClientSession, WhatDoesNotMatterIsPassedOver) {
  Destination destination;
  destination.connected();
  EXPECT_TRUE(destination.command({"_error", 2.0, Null{}, Object{{{"description", "no releaseStream"}}, {}}})
                  .events.empty());
  EXPECT_TRUE(destination.command({"onBWDone", 0.0, Null{}, 8192.0}).events.empty());
  EXPECT_TRUE(destination.command({"_result", 99.0, Null{}, 7.0}).events.empty());
  EXPECT_TRUE(destination.command({}).events.empty());
  EXPECT_TRUE(destination.command({"onStatus", 0.0}).events.empty());
  EXPECT_TRUE(destination.send(destination.peer.media(MessageType::video, 0, hex("17 00"))).events.empty());
  destination.command({"_result", 4.0, Null{}, 1.0});
  EXPECT_TRUE(destination.status("status", "NetStream.Play.Reset", "").events.empty());
  EXPECT_EQ(destination.status("status", "NetStream.Publish.Start", "").events.size(), 1U);
}

TEST(ClientSession, AStreamIdThatCannotBeUsedIsAnError) {
  for (const Value& id : std::vector<Value>{0.0, -1.0, 1.5, 1e300, Value(std::string("1")), Null{}}) {
    Destination destination;
    destination.connected();
    EXPECT_EQ(destination.command({"_result", 4.0, Null{}, id}).error, Error::bad_stream_id);
  }
}

TEST(ClientSession, AcknowledgementsAreUnwrapped) {
  Destination destination;
  destination.publishing();
  const auto total = [&](std::uint32_t counter) -> std::optional<std::uint64_t> {
    const auto fed = destination.send(destination.peer.chunks(acknowledgement(counter)));
    if (fed.events.empty()) return std::nullopt;
    return std::get<Acknowledged>(fed.events[0]).total;
  };
  EXPECT_EQ(total(5000), 5000U);
  EXPECT_EQ(total(0x70000000), 0x70000000U);
  EXPECT_EQ(total(0xE0000000), 0xE0000000U);
  EXPECT_EQ(total(0x00000100), 0x100000100U);
  EXPECT_EQ(total(0x00000050), std::nullopt);  // behind
  EXPECT_EQ(total(0x10000000), 0x110000000U);
}

TEST(ClientSession, AnswersPingsAndAcknowledges) {
  Destination destination;
  destination.publishing();
  Peer& peer = destination.peer;
  const auto pong =
      peer.read(feed(destination.session, peer.chunks(user_control(UserControlEvent::ping_request, 9))).sent);
  ASSERT_EQ(pong.size(), 1U);
  EXPECT_EQ(parse_user_control(pong[0])->event, UserControlEvent::ping_response);
  EXPECT_EQ(parse_user_control(pong[0])->value, 9U);

  feed(destination.session, peer.chunks(window_ack_size(1)));
  Bytes much;
  for (int i = 0; i < 10; ++i) much = much + peer.media(MessageType::data_amf0, 0, pattern(10'000));
  const auto acknowledged = peer.read(feed(destination.session, much).sent);
  ASSERT_EQ(acknowledged.size(), 1U);
  EXPECT_EQ(acknowledged[0].type, MessageType::acknowledgement);
}

TEST(ClientSession, HostileServersMeetTheLimits) {
  Destination big;
  big.publishing();
  EXPECT_EQ(big.send(big.peer.media(MessageType::video, 0, pattern(kMaxMessageUnauthorised + 1))).error,
            Error::message_too_long);
  Destination bomb;
  bomb.connected();
  Bytes deep;
  for (int i = 0; i < 1000; ++i) deep = deep + hex("0a 00000001");
  EXPECT_EQ(bomb.send(bomb.peer.media(MessageType::command_amf0, 0, deep)).error, Error::amf_too_deep);
  EXPECT_EQ(bomb.send(hex("00")).error, Error::amf_too_deep);  // it stays
  Destination gone;
  gone.publishing();
  EXPECT_EQ(gone.command({"close", 0.0, Null{}}).error, Error::closed_by_peer);
}

TEST(ClientSession, FinishBeforeAcceptanceLeavesNothingBehind) {
  Destination before;
  before.connected();
  before.session.finish();
  before.collect({});
  EXPECT_EQ(before.names().back(), "createStream");  // no stream to delete yet

  Destination asked;
  asked.connected();
  asked.command({"_result", 4.0, Null{}, 1.0});
  asked.session.finish();
  asked.collect({});
  EXPECT_EQ(asked.names().back(), "deleteStream");
}

// --- both ends of ours ---

TEST(ClientAndServer, MediaArrivesAsItWasSent) {
  for (const std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{1460}}) {
    ClientOptions client_options = options();
    client_options.app = "live";
    client_options.tc_url = "rtmp://host/live";
    client_options.stream_name = "KEY";
    ClientSession client(client_options);
    ServerSession server{{.handshake_seed = 2}};
    std::vector<MediaMessage> received;
    bool accepted = false;
    bool ended = false;
    // Carries bytes to and fro until neither has anything to say.
    const auto exchange = [&](Bytes to_server) {
      while (!to_server.empty()) {
        const auto at_server = feed(server, to_server, piece, [&](const ServerSession::Event& event) {
          if (std::holds_alternative<PublishRequest>(event)) server.accept_publish();
          if (const auto* media = std::get_if<MediaMessage>(&event)) received.push_back(*media);
          if (std::holds_alternative<PublishEnded>(event)) ended = true;
        });
        ASSERT_FALSE(at_server.error) << at_server.error.message();
        if (at_server.sent.empty()) break;
        const auto at_client = feed(client, at_server.sent, piece);
        ASSERT_FALSE(at_client.error) << at_client.error.message();
        for (const auto& event : at_client.events) accepted |= std::holds_alternative<PublishAccepted>(event);
        to_server = at_client.sent;
      }
    };
    const auto take = [&client] { return std::exchange(client.output(), {}); };

    client.start();
    exchange(take());
    ASSERT_TRUE(accepted);
    EXPECT_EQ(client.writer().chunk_size(), 65'536U);

    // The packet path: headers and slices of the payload, never copied together by the session.
    const std::vector<std::pair<std::uint32_t, Bytes>> frames{
        {0, pattern(10)}, {33, pattern(200'000, 1)},        {66, pattern(65'536, 2)},
        {60, {}},         {0xFFFFFFF0, pattern(70'000, 3)}, {5, pattern(70'000, 4)}};
    Bytes wire;
    for (const auto& [time, frame] : frames) {
      wire = std::move(wire) + client.writer()
                                   .begin_message(6, MessageType::video, client.stream_id(), time,
                                                  static_cast<std::uint32_t>(frame.size()))
                                   .span();
      std::span<const std::byte> rest(frame);
      while (true) {
        const auto slice = rest.first(std::min<std::size_t>(rest.size(), client.writer().chunk_size()));
        wire = std::move(wire) + slice;
        rest = rest.subspan(slice.size());
        if (rest.empty()) break;
        wire = std::move(wire) + client.writer().continuation(6).span();
      }
    }
    exchange(wire);
    ASSERT_EQ(received.size(), frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      EXPECT_EQ(received[i].timestamp, frames[i].first);
      EXPECT_TRUE(std::ranges::equal(received[i].body.bytes(), frames[i].second));
    }
    client.finish();
    exchange(take());
    EXPECT_TRUE(ended);
  }
}

}  // namespace
}  // namespace simulcast::rtmp
