#include "protocol/rtmp/server_session.hpp"

#include <gtest/gtest.h>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"
#include "tests/unit/protocol/session_driver.hpp"
#include "tests/unit/protocol/test_publisher.hpp"

namespace simulcast::rtmp {
namespace {

using amf0::Null;
using amf0::Object;
using amf0::Value;
using test::Bytes;
using test::connect_object;
using test::feed;
using test::hex;
using test::info_of;
using test::pattern;
using test::Publisher;
using test::simple_handshake;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

// --- connect ---

TEST(ServerSession, HearsWhatTheStreamHasComeThrough) {
  for (const std::string_view text : {"00000000000000ab,00000000000000cd", "nonsense"}) {
    Publisher publisher;
    publisher.peer.read(publisher.send(simple_handshake()).sent);
    publisher.command({"connect", 1.0, Object{{{"app", "live"}, {"simulcastdTrail", text}}, {}}});
    const auto fed = publisher.command({"publish", 3.0, Null{}, "KEY", "live"}, 1);
    ASSERT_EQ(fed.events.size(), 1U);
    const auto* request = std::get_if<PublishRequest>(&fed.events[0]);
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(request->trail, media::Trail::parse(text));
    EXPECT_EQ(request->trail.contains(0xCD), text != "nonsense");
  }
}

TEST(ServerSession, AnswersConnectAsClientsExpect) {
  Publisher publisher;
  publisher.peer.read(publisher.send(simple_handshake()).sent);
  const auto fed = publisher.command({"connect", 1.0, connect_object("live")});
  const auto messages = publisher.peer.read(fed.sent);
  ASSERT_EQ(messages.size(), 3U);  // Set Chunk Size is taken by the reader
  EXPECT_EQ(messages[0].type, MessageType::window_ack_size);
  EXPECT_EQ(control_value(messages[0]).value(), kDefaultAckWindow);
  EXPECT_EQ(messages[1].type, MessageType::set_peer_bandwidth);
  EXPECT_EQ(messages[1].body.size(), 5U);
  EXPECT_EQ(publisher.peer.chunk_size(), 65'536U);
  const auto result = amf0::decode(messages[2].body.bytes()).value();
  EXPECT_EQ(result[0], Value("_result"));
  EXPECT_EQ(result[1], Value(1.0));
  EXPECT_EQ(info_of(result, "level"), "status");
  EXPECT_EQ(info_of(result, "code"), "NetConnection.Connect.Success");
  EXPECT_EQ(result[3].number_of("objectEncoding"), 0.0);
  EXPECT_EQ(result[3].find("fourCcList"), nullptr);
}

TEST(ServerSession, TellsItsCapabilitiesToWhoKnowsThem) {
  Publisher publisher;
  publisher.peer.read(publisher.send(simple_handshake()).sent);
  const auto fed = publisher.command(
      {"connect", 1.0, Object{{{"app", "live"}, {"fourCcList", amf0::StrictArray{{"hvc1", "av01"}}}}, {}}});
  const auto result = publisher.peer.commands(fed.sent).at(0);
  ASSERT_NE(result[3].find("fourCcList"), nullptr);
  EXPECT_EQ(result[3].find("videoFourCcInfoMap")->number_of("*"), 4.0);
  EXPECT_EQ(result[3].number_of("capsEx"), 6.0);
}

TEST(ServerSession, OtherApplicationsAreRejectedInWords) {
  for (const std::string_view app : {"", "other", "Live", "livestream", "vod/live"}) {
    Publisher publisher;
    publisher.peer.read(publisher.send(simple_handshake()).sent);
    const auto fed = publisher.command({"connect", 1.0, connect_object(app)});
    EXPECT_EQ(fed.error, Error::rejected);
    const auto answer = publisher.peer.commands(fed.sent).at(0);
    EXPECT_EQ(answer[0], Value("_error"));
    EXPECT_EQ(info_of(answer, "code"), "NetConnection.Connect.Rejected");
    EXPECT_NE(info_of(answer, "description").find("rtmp://HOST/live"), std::string::npos);
    EXPECT_EQ(publisher.send(hex("00")).error, Error::rejected);  // it stays
  }
}

TEST(ServerSession, TheKeyIsFoundInEveryForm) {
  for (const auto& [app, name] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"live", "KEY"},
                                                                  {"live/KEY", ""},
                                                                  {"live/", "KEY?x=y"},
                                                                  {"live?a=b", "KEY"},
                                                                  {"live/_definst_", "mp4:KEY"}}) {
    Publisher publisher;
    publisher.connect(app);
    const auto fed = publisher.command({"publish", 3.0, Null{}, name}, 1);
    ASSERT_EQ(fed.events.size(), 1U) << app << " " << name;
    EXPECT_EQ(std::get<PublishRequest>(fed.events[0]).key, "KEY");
  }
}

TEST(ServerSession, APublishWithoutKeyOrOfAnotherApplicationIsRefused) {
  for (const auto& [app, name, error] : std::vector<std::tuple<std::string_view, std::string_view, Error>>{
           {"live", "", Error::no_stream_key},
           {"live", "KEY\x01", Error::bad_stream_name},
           {"live", "KEY%00", Error::bad_stream_name},
           {"live", "other/KEY", Error::rejected}}) {
    Publisher publisher;
    publisher.connect(app);
    const auto fed = publisher.command({"publish", 0.0, Null{}, name, "live"}, 7);
    EXPECT_EQ(fed.error, error) << name;
    EXPECT_TRUE(fed.events.empty());
    const auto status = publisher.peer.commands(fed.sent).at(0);
    EXPECT_EQ(status[0], Value("onStatus"));
    EXPECT_EQ(info_of(status, "level"), "error");
    EXPECT_EQ(info_of(status, "code"), "NetStream.Publish.BadName");
    EXPECT_EQ(publisher.peer.stream_ids().back(), 7U);
  }
}

// --- publish ---

TEST(ServerSession, AcceptAnswersOnTheStreamOfThePublish) {
  Publisher publisher;
  publisher.connect();
  const auto created = publisher.peer.commands(publisher.command({"createStream", 4.0, Null{}}).sent).at(0);
  EXPECT_EQ(created, (std::vector<Value>{"_result", 4.0, Null{}, 1.0}));
  publisher.command({"publish", 5.0, Null{}, "KEY", "live"}, 1);
  publisher.session.accept_publish();
  const auto messages = publisher.peer.read(publisher.session.output());
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(parse_user_control(messages[0])->event, UserControlEvent::stream_begin);
  EXPECT_EQ(messages[1].stream_id, 1U);
  const auto status = amf0::decode(messages[1].body.bytes()).value();
  EXPECT_EQ(status[1], Value(0.0));
  EXPECT_EQ(info_of(status, "code"), "NetStream.Publish.Start");
}

TEST(ServerSession, RejectTellsWhyAndEndsTheSession) {
  Publisher publisher;
  publisher.connect();
  publisher.command({"publish", 5.0, Null{}, "KEY", "live"}, 1);
  publisher.session.reject_publish("NetStream.Publish.BadName", "No live input has this stream key.");
  const auto status = publisher.peer.commands(publisher.session.output()).at(0);
  EXPECT_EQ(info_of(status, "description"), "No live input has this stream key.");
  EXPECT_EQ(publisher.peer.stream_ids().back(), 1U);
  EXPECT_EQ(publisher.send(hex("00")).error, Error::rejected);
}

TEST(ServerSession, APublisherCanBeEndedLater) {
  Publisher publisher;
  publisher.publish();
  publisher.session.reject_publish("NetStream.Publish.BadName", "Another encoder took over.");
  EXPECT_EQ(info_of(publisher.peer.commands(publisher.session.output()).at(0), "level"), "error");
  EXPECT_EQ(publisher.send(publisher.peer.media(MessageType::audio, 0, hex("af 01"))).error, Error::rejected);
}

TEST(ServerSession, StepsMayBeMissingAndTransactionsZero) {
  Publisher publisher;
  publisher.connect();
  EXPECT_TRUE(publisher.command({"releaseStream", 0.0, Null{}, "KEY"}).sent.empty());
  EXPECT_TRUE(publisher.command({"no such command", 9.0, Null{}}).sent.empty());
  const auto prepared = publisher.peer.commands(publisher.command({"FCPublish", 0.0, Null{}, "KEY"}).sent);
  ASSERT_EQ(prepared.size(), 1U);
  EXPECT_EQ(prepared[0][0], Value("onFCPublish"));
  EXPECT_EQ(publisher.command({"publish", 0.0, Null{}, "KEY"}, 0).events.size(), 1U);  // no createStream
}

TEST(ServerSession, OldCallsAreAnswered) {
  Publisher publisher;
  publisher.connect();
  for (const std::string_view name : {"releaseStream", "_checkbw", "getStreamLength", "FCPublish"}) {
    const auto answer = publisher.peer.commands(publisher.command({name, 8.0, Null{}, "KEY"}).sent).at(0);
    EXPECT_EQ(answer[0], Value("_result")) << name;
    EXPECT_EQ(answer[1], Value(8.0)) << name;
  }
}

TEST(ServerSession, CommandsWrappedForAmf3AreUnderstood) {
  Publisher publisher;
  publisher.peer.read(publisher.send(simple_handshake()).sent);
  auto message = test::command_message({"connect", 1.0, connect_object("live")});
  message.type = MessageType::command_amf3;
  message.body = media::Payload::copy_of(hex("00") + message.body.bytes());
  const auto fed = publisher.send(publisher.peer.chunks(message));
  EXPECT_FALSE(fed.error);
  EXPECT_EQ(info_of(publisher.peer.commands(fed.sent).at(0), "code"), "NetConnection.Connect.Success");
}

TEST(ServerSession, MediaIsDeliveredWithTypeAndTime) {
  Publisher publisher;
  publisher.publish();
  const auto fed = publisher.send(publisher.peer.media(MessageType::video, 40, hex("17 01 000000 aa")) +
                                  publisher.peer.media(MessageType::audio, 41, {}) +
                                  publisher.peer.media(MessageType::data_amf0, 42, hex("02 0001 'x'")) +
                                  publisher.peer.media(MessageType::data_amf3, 43, hex("00 02 0001 'y'")) +
                                  publisher.peer.media(MessageType::data_amf3, 44, hex("0a 0b")) +
                                  publisher.peer.media(MessageType::shared_object_amf0, 45, hex("00")) +
                                  publisher.peer.media(static_cast<MessageType>(99), 46, hex("00")));
  EXPECT_FALSE(fed.error);
  ASSERT_EQ(fed.events.size(), 4U);
  const auto& video = std::get<MediaMessage>(fed.events[0]);
  EXPECT_EQ(video.type, MessageType::video);
  EXPECT_EQ(video.timestamp, 40U);
  EXPECT_EQ(video.body.size(), 6U);
  EXPECT_TRUE(std::get<MediaMessage>(fed.events[1]).body.empty());
  const auto& wrapped = std::get<MediaMessage>(fed.events[3]);
  EXPECT_EQ(wrapped.type, MessageType::data_amf0);
  EXPECT_TRUE(std::ranges::equal(wrapped.body.bytes(), hex("02 0001 'y'")));
}

TEST(ServerSession, LimitsRiseOnlyWithAcceptance) {
  Publisher stranger;
  stranger.connect();
  EXPECT_EQ(
      stranger.send(stranger.peer.media(MessageType::data_amf0, 0, pattern(kMaxMessageUnauthorised + 1)))
          .error,
      Error::message_too_long);

  Publisher waiting;
  waiting.connect();
  waiting.command({"publish", 5.0, Null{}, "KEY", "live"}, 1);
  EXPECT_EQ(
      waiting.send(waiting.peer.media(MessageType::data_amf0, 0, pattern(kMaxMessageUnauthorised + 1))).error,
      Error::message_too_long);

  Publisher accepted;
  accepted.publish();
  const Bytes body = pattern(5 << 20);
  const auto fed = accepted.send(accepted.peer.media(MessageType::video, 0, body));
  ASSERT_EQ(fed.events.size(), 1U);
  EXPECT_TRUE(std::ranges::equal(std::get<MediaMessage>(fed.events[0]).body.bytes(), body));
}

TEST(ServerSession, MediaBeforeAcceptanceIsAnError) {
  for (const MessageType type : {MessageType::audio, MessageType::video, MessageType::aggregate}) {
    Publisher connected;
    connected.connect();
    EXPECT_EQ(connected.send(connected.peer.media(type, 0, hex("af 01"))).error, Error::media_before_publish);
    Publisher waiting;
    waiting.connect();
    waiting.command({"publish", 5.0, Null{}, "KEY", "live"}, 1);
    EXPECT_EQ(waiting.send(waiting.peer.media(type, 0, hex("af 01"))).error, Error::media_before_publish);
  }
}

// --- the end ---

TEST(ServerSession, EveryGoodbyeEndsThePublishOnce) {
  const std::vector<std::vector<Value>> goodbyes{{"FCUnpublish", 6.0, Null{}, "KEY"},
                                                 {"deleteStream", 7.0, Null{}, 1.0},
                                                 {"deleteStream", 0.0, Null{}, "KEY"},  // GStreamer
                                                 {"deleteStream", 0.0},
                                                 {"closeStream", 0.0, Null{}}};
  for (const auto& goodbye : goodbyes) {
    Publisher publisher;
    publisher.publish();
    Bytes body;
    for (const Value& value : goodbye) amf0::encode(value, body);
    const Bytes said = publisher.peer.chunks({.type = MessageType::command_amf0,
                                              .stream_id = 1,
                                              .chunk_stream_id = 3,
                                              .timestamp = 0,
                                              .body = media::Payload::copy_of(body)});
    const auto fed = publisher.send(said + publisher.peer.command({"deleteStream", 8.0, Null{}, 1.0}) +
                                    publisher.peer.media(MessageType::audio, 0, hex("af 01")));
    EXPECT_FALSE(fed.error);
    ASSERT_EQ(fed.events.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<PublishEnded>(fed.events[0]));
  }
}

TEST(ServerSession, ASecondPublishOnTheConnectionIsRefused) {
  Publisher publisher;
  publisher.publish();
  const auto fed = publisher.command({"publish", 9.0, Null{}, "OTHER", "live"}, 2);
  EXPECT_EQ(fed.error, Error::second_publish);
  EXPECT_EQ(info_of(publisher.peer.commands(fed.sent).at(0), "code"), "NetStream.Publish.BadName");
  EXPECT_EQ(publisher.peer.stream_ids().back(), 2U);

  Publisher again;
  again.publish();
  again.command({"deleteStream", 7.0, Null{}, 1.0});
  EXPECT_EQ(again.command({"publish", 9.0, Null{}, "KEY", "live"}, 1).error, Error::second_publish);
}

// --- odd paths ---

TEST(ServerSession, NothingComesBeforeConnect) {
  for (const std::string_view name : {"publish", "createStream", "FCPublish", "play", "deleteStream"}) {
    Publisher publisher;
    publisher.send(simple_handshake());
    EXPECT_EQ(publisher.command({name, 1.0, Null{}, "KEY"}, 1).error, Error::not_connected) << name;
  }
  Publisher twice;
  twice.connect();
  EXPECT_EQ(twice.command({"connect", 2.0, connect_object("live")}).error, Error::second_connect);
}

TEST(ServerSession, FcPublishAloneGivesNoRightToSend) {
  Publisher publisher;
  publisher.connect();
  publisher.command({"FCPublish", 3.0, Null{}, "KEY"});
  publisher.session.accept_publish();  // nothing was asked
  EXPECT_EQ(publisher.send(publisher.peer.media(MessageType::video, 0, hex("17 00"))).error,
            Error::media_before_publish);
}

TEST(ServerSession, PlayersAreToldThatThisIsNotForThem) {
  Publisher publisher;
  publisher.connect();
  const auto fed = publisher.command({"play", 0.0, Null{}, "KEY"}, 1);
  EXPECT_EQ(fed.error, Error::not_a_publisher);
  EXPECT_EQ(info_of(publisher.peer.commands(fed.sent).at(0), "code"), "NetStream.Play.Failed");
}

TEST(ServerSession, CommandsBeforePublishAreBounded) {
  Publisher publisher;
  publisher.connect();  // the first command
  for (int i = 1; i < kMaxCommandsBeforePublish; ++i) {
    ASSERT_FALSE(publisher.command({"createStream", 1.0, Null{}}).error);
  }
  EXPECT_EQ(publisher.command({"createStream", 1.0, Null{}}).error, Error::too_many_commands);
}

TEST(ServerSession, BadCommandsEndTheSession) {
  for (const auto& [body, error] :
       std::vector<std::pair<std::string_view, boost::system::error_code>>{{"", Error::bad_command},
                                                                           {"05", Error::bad_command},
                                                                           {"02 ffff", Error::amf_truncated},
                                                                           {"ff", Error::amf_bad_marker}}) {
    Publisher publisher;
    publisher.send(simple_handshake());
    EXPECT_EQ(publisher.send(publisher.peer.media(MessageType::command_amf0, 0, hex(body))).error, error)
        << body;
  }
}

// --- control ---

TEST(ServerSession, PingsAreAnswered) {
  Publisher publisher;
  publisher.connect();
  const auto fed = publisher.send(publisher.peer.chunks(user_control(UserControlEvent::ping_request, 77)));
  const auto answer = parse_user_control(publisher.peer.read(fed.sent).at(0)).value();
  EXPECT_EQ(answer.event, UserControlEvent::ping_response);
  EXPECT_EQ(answer.value, 77U);
  EXPECT_EQ(publisher.send(publisher.peer.media(MessageType::user_control, 0, hex("00"))).error,
            Error::bad_control_message);
}

std::vector<std::uint32_t> acknowledgements(Publisher& publisher, const Bytes& sent) {
  std::vector<std::uint32_t> values;
  for (const Message& message : publisher.peer.read(sent)) {
    if (message.type == MessageType::acknowledgement) values.push_back(control_value(message).value());
  }
  return values;
}

TEST(ServerSession, AcknowledgesWithinThePeersWindow) {
  Publisher publisher;
  publisher.publish();
  publisher.send(publisher.peer.chunks(window_ack_size(100'000)));
  EXPECT_TRUE(
      acknowledgements(publisher,
                       publisher.send(publisher.peer.media(MessageType::video, 0, pattern(50'000))).sent)
          .empty());
  const auto fed = publisher.send(publisher.peer.media(MessageType::video, 0, pattern(50'000)));
  EXPECT_EQ(acknowledgements(publisher, fed.sent),
            (std::vector<std::uint32_t>{static_cast<std::uint32_t>(publisher.session.bytes_received())}));
}

TEST(ServerSession, ATinyWindowDoesNotMakeItChatter) {
  Publisher publisher;
  publisher.publish();
  publisher.send(publisher.peer.chunks(window_ack_size(1)));
  Bytes frames;
  for (int i = 0; i < 100; ++i)
    frames = frames + publisher.peer.media(MessageType::video, 0, pattern(10'000));
  // One run of bytes, one acknowledgement; piece by piece no more than one each 64 KiB.
  EXPECT_EQ(acknowledgements(publisher, publisher.send(frames).sent).size(), 1U);
  const auto fed = feed(publisher.session, frames, 1460);
  EXPECT_LE(acknowledgements(publisher, fed.sent).size(), frames.size() / kMinAckWindow);
}

TEST(ServerSession, StrangersAreRecognised) {
  ServerSession session{{.handshake_seed = 1}};
  EXPECT_EQ(feed(session, hex("16 03 01 02 00")).error, Error::tls_on_plain_port);
  ServerSession other{{.handshake_seed = 1}};
  EXPECT_EQ(feed(other, hex("'GET / HTTP/1.1'")).error, Error::http_on_rtmp_port);
}

}  // namespace
}  // namespace simulcast::rtmp
