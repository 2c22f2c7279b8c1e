#include "protocol/rtmp/server_session.hpp"

#include <gtest/gtest.h>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"
#include "tests/unit/protocol/session_driver.hpp"

namespace simulcast::rtmp {
namespace {

using amf0::Null;
using amf0::Object;
using amf0::Value;
using test::Bytes;
using test::feed;
using test::hex;
using test::info_of;
using test::pattern;
using test::Peer;
using test::simple_handshake;
using test::operator+;

Value connect_object(std::string_view app) {
  return Object{{{"app", app},
                 {"type", "nonprivate"},
                 {"flashVer", "FMLE/3.0 (compatible; FMSc/1.0)"},
                 {"tcUrl", "rtmp://host/live"}},
                {}};
}

// A publisher up to a given point, against a session.
struct Publisher {
  ServerSession session{{.handshake_seed = 1}};
  Peer peer;

  test::Fed<ServerSession> send(const Bytes& bytes) { return feed(session, bytes); }
  test::Fed<ServerSession> command(std::initializer_list<Value> values, std::uint32_t stream_id = 0) {
    return send(peer.command(values, stream_id));
  }
  void connect(std::string_view app = "live") {
    peer.read(send(simple_handshake()).sent);
    const auto fed = command({"connect", 1.0, connect_object(app)});
    ASSERT_FALSE(fed.error);
    peer.read(fed.sent);
  }
  void publish() {
    connect();
    peer.read(command({"createStream", 2.0, Null{}}).sent);
    const auto fed = command({"publish", 3.0, Null{}, "KEY", "live"}, 1);
    ASSERT_EQ(fed.events.size(), 1U);
    ASSERT_TRUE(std::holds_alternative<PublishRequest>(fed.events[0]));
    session.accept_publish();
    peer.read(session.output());
    session.output().clear();
  }
};

// --- recorded sessions ---

struct Recording {
  std::string name;
  std::string_view flash_version;
  std::size_t audio, video, data;
  std::uint32_t crc;
};

std::uint32_t crc32(std::uint32_t crc, std::span<const std::byte> bytes) {
  crc = ~crc;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1)));
  }
  return ~crc;
}

TEST(ServerSession, RecordedClientsAreUnderstoodHoweverTheirBytesArrive) {
  const std::string key = "0123456789abcdef0123456789abcdefk89abcdef0123456789abcdef01234567";
  for (const Recording& recording :
       {Recording{"ffmpeg.bin", "FMLE/3.0 (compatible; Lavf59", 132, 47, 1, 0xd01c3777},
        Recording{"rtmp2sink.bin", "", 131, 47, 29, 0xd22107b5},
        Recording{"rtmpsink.bin", "", 131, 47, 29, 0x2be13e67}}) {
    const Bytes bytes = test::fixture(recording.name);
    for (const std::size_t piece : {SIZE_MAX, std::size_t{1}, std::size_t{1460}}) {
      ServerSession session{{.handshake_seed = 1}};
      std::size_t audio = 0;
      std::size_t video = 0;
      std::size_t data = 0;
      std::size_t ended = 0;
      std::uint32_t crc = 0;
      const auto fed = feed(session, bytes, piece, [&](const ServerSession::Event& event) {
        if (const auto* request = std::get_if<PublishRequest>(&event)) {
          EXPECT_EQ(request->app, "live");
          EXPECT_EQ(request->key, key);
          EXPECT_TRUE(request->flash_version.starts_with(recording.flash_version)) << request->flash_version;
          EXPECT_TRUE(request->tc_url.starts_with("rtmp://127.0.0.1")) << request->tc_url;
          session.accept_publish();
        } else if (const auto* media = std::get_if<MediaMessage>(&event)) {
          ++(media->type == MessageType::audio ? audio : media->type == MessageType::video ? video : data);
          crc = crc32(crc, test::number(static_cast<std::uint8_t>(media->type), 1) +
                               test::number(media->timestamp, 4));
          crc = crc32(crc, media->body.bytes());
        } else {
          ++ended;
        }
      });
      EXPECT_FALSE(fed.error) << recording.name << ": " << fed.error.message();
      EXPECT_EQ(audio, recording.audio);
      EXPECT_EQ(video, recording.video);
      EXPECT_EQ(data, recording.data);
      EXPECT_EQ(crc, recording.crc) << recording.name;
      EXPECT_EQ(ended, 1U);
      EXPECT_EQ(session.bytes_received(), bytes.size());
      Peer peer;
      const auto commands = peer.commands(fed.sent);
      ASSERT_GE(commands.size(), 4U);
      EXPECT_EQ(info_of(commands.front(), "code"), "NetConnection.Connect.Success");
      EXPECT_EQ(info_of(commands.back(), "code"), "NetStream.Unpublish.Success");
    }
  }
}

// --- connect ---

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

// --- aggregates ---

Bytes tag(std::uint8_t type, std::uint32_t time, const Bytes& body) {
  return test::number(type, 1) + test::number(body.size(), 3) + test::number(time & 0xFFFFFF, 3) +
         test::number(time >> 24, 1) + test::number(0, 3) + body + test::number(11 + body.size(), 4);
}

TEST(ServerSession, AggregatesAreTakenApart) {
  Publisher publisher;
  publisher.publish();
  const Bytes body = tag(9, 0x01000005, hex("17 01")) + tag(22, 0x01000006, tag(8, 0, hex("af"))) +
                     tag(8, 0x01000010, hex("af 01 02")) + tag(18, 0x01000004, {});
  const auto fed = publisher.send(publisher.peer.media(MessageType::aggregate, 1000, body));
  ASSERT_EQ(fed.events.size(), 3U);
  const auto& video = std::get<MediaMessage>(fed.events[0]);
  const auto& audio = std::get<MediaMessage>(fed.events[1]);
  EXPECT_EQ(video.timestamp, 1000U);
  EXPECT_TRUE(std::ranges::equal(video.body.bytes(), hex("17 01")));
  EXPECT_EQ(audio.timestamp, 1011U);
  EXPECT_TRUE(std::ranges::equal(audio.body.bytes(), hex("af 01 02")));
  EXPECT_EQ(std::get<MediaMessage>(fed.events[2]).timestamp, 999U);
}

TEST(ServerSession, AggregatesDoNotReachPastTheirEnd) {
  const Bytes whole = tag(9, 5, hex("17 01 02 03"));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    Publisher publisher;
    publisher.publish();
    const auto fed = publisher.send(publisher.peer.media(
        MessageType::aggregate, 0, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}));
    // The back pointer at the end may be missing, nothing else.
    EXPECT_EQ(fed.error == Error::bad_aggregate, size < 15) << size;
    EXPECT_EQ(fed.events.size(), size < 15 ? 0U : 1U);
  }
}

TEST(ServerSession, StrangersAreRecognised) {
  ServerSession session{{.handshake_seed = 1}};
  EXPECT_EQ(feed(session, hex("16 03 01 02 00")).error, Error::tls_on_plain_port);
  ServerSession other{{.handshake_seed = 1}};
  EXPECT_EQ(feed(other, hex("'GET / HTTP/1.1'")).error, Error::http_on_rtmp_port);
}

}  // namespace
}  // namespace simulcast::rtmp
