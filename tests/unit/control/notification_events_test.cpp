#include "control/notifications/notification_events.hpp"

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>

#include "control/engine.hpp"
#include "control/notifications/notification_body.hpp"

namespace simulcast::control::test {

namespace {

using media::InputReason;
using media::OutputState;
using testing::ElementsAre;
using testing::IsEmpty;
using Clock = NotificationEvents::Clock;

const media::WallTime kWhen{std::chrono::milliseconds(1'700'000'000'250)};

media::InputStatus connected() {
  return {.connected = true, .protocol = media::IngestProtocol::srt, .entered_at = kWhen};
}

media::InputStatus disconnected(InputReason reason) {
  media::InputStatus status{.connected = false, .reason = reason, .entered_at = kWhen};
  if (reason == InputReason::reconnecting) status.hold_ends_at = kWhen + std::chrono::seconds(30);
  return status;
}

class NotificationEventsTest : public testing::Test {
 protected:
  // What comes of this, as the API words it; "" for nothing.
  std::string input(const media::InputStatus& status) {
    const auto event = events_.input_changed("i", status);
    return event ? std::string(to_string(event->type)) : "";
  }
  std::string output(OutputState state, int attempt = 0, const std::string& uid = "o") {
    media::OutputStatus status;
    status.state = state;
    status.attempt = attempt;
    const auto event = events_.output_changed("i", uid, status, now_);
    return event ? std::string(to_string(event->type)) : "";
  }

  NotificationEvents events_;
  Clock::time_point now_ = Clock::now();
};

TEST_F(NotificationEventsTest, ABroadcastFromItsBeginningToItsEnd) {
  EXPECT_EQ(input(connected()), "live_input.connected");
  EXPECT_EQ(input(connected()), "");  // taken over by another encoder
  EXPECT_EQ(input(disconnected(InputReason::client_disconnect)), "live_input.disconnected");
  EXPECT_EQ(input(disconnected(InputReason::client_disconnect)), "");
  EXPECT_EQ(input(connected()), "live_input.connected");
}

TEST_F(NotificationEventsTest, AnEncoderThatComesBack) {
  input(connected());
  EXPECT_EQ(input(disconnected(InputReason::reconnecting)), "live_input.disconnected");
  EXPECT_EQ(input(disconnected(InputReason::reconnecting)), "");  // held for longer
  EXPECT_EQ(input(connected()), "live_input.connected");
}

TEST_F(NotificationEventsTest, AnEncoderThatDoesNotComeBack) {
  for (const auto reason :
       {InputReason::ttl_exceeded, InputReason::failed_to_reconnect, InputReason::failed_to_connect}) {
    input(connected());
    input(disconnected(InputReason::reconnecting));
    EXPECT_EQ(input(disconnected(reason)), "live_input.errored");
    EXPECT_EQ(input(disconnected(reason)), "");
  }
}

TEST_F(NotificationEventsTest, SwitchedOffWhileItWasAwayHasBeenTold) {
  input(connected());
  input(disconnected(InputReason::reconnecting));
  EXPECT_EQ(input(disconnected(InputReason::client_disconnect)), "");
}

TEST_F(NotificationEventsTest, OneThatNeverConnectedTellsNothing) {
  for (const auto reason : {InputReason::reconnecting, InputReason::client_disconnect,
                            InputReason::failed_to_connect, InputReason::ttl_exceeded}) {
    EXPECT_EQ(input(disconnected(reason)), "");
  }
}

TEST_F(NotificationEventsTest, InputsAreToldApart) {
  input(connected());
  EXPECT_TRUE(events_.input_changed("j", connected()));
  EXPECT_FALSE(events_.input_changed("k", disconnected(InputReason::client_disconnect)));
}

TEST_F(NotificationEventsTest, AnOutputThatWorks) {
  EXPECT_EQ(output(OutputState::idle), "");
  EXPECT_EQ(output(OutputState::connecting), "");
  EXPECT_EQ(output(OutputState::live), "output.connected");
  EXPECT_EQ(output(OutputState::live), "");
  EXPECT_EQ(output(OutputState::holding), "");
  EXPECT_EQ(output(OutputState::live), "");
  EXPECT_EQ(output(OutputState::stopping), "output.disconnected");
  EXPECT_EQ(output(OutputState::idle), "");
  EXPECT_EQ(output(OutputState::disabled), "");
}

TEST_F(NotificationEventsTest, WhateverEndsALiveOutputOnPurposeIsADisconnection) {
  for (const auto state :
       {OutputState::idle, OutputState::disabled, OutputState::stopping, OutputState::connecting}) {
    EXPECT_EQ(output(OutputState::holding), "output.connected");
    EXPECT_EQ(output(state), "output.disconnected") << to_string(state);
  }
}

TEST_F(NotificationEventsTest, AnEpisodeOfFailuresBeginsOnce) {
  output(OutputState::live);
  EXPECT_EQ(output(OutputState::retrying, 1), "output.errored");
  EXPECT_EQ(output(OutputState::connecting, 1), "");
  EXPECT_EQ(output(OutputState::live, 1), "output.connected");
  EXPECT_EQ(output(OutputState::retrying, 2), "output.errored");
  EXPECT_EQ(output(OutputState::stopping), "");  // it was not live any more
  EXPECT_EQ(output(OutputState::connecting), "");
  EXPECT_EQ(output(OutputState::retrying, 1), "output.errored");  // refused at once
}

TEST_F(NotificationEventsTest, FurtherFailuresAreToldOnceAMinute) {
  output(OutputState::retrying, 1);
  now_ += std::chrono::seconds(59);
  EXPECT_EQ(output(OutputState::retrying, 2), "");
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(output(OutputState::retrying, 2), "");  // the same try, in other words
  EXPECT_EQ(output(OutputState::connecting, 2), "");
  EXPECT_EQ(output(OutputState::retrying, 3), "output.retrying");
  now_ += std::chrono::seconds(59);
  EXPECT_EQ(output(OutputState::retrying, 4), "");
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(output(OutputState::retrying, 5), "output.retrying");
}

TEST_F(NotificationEventsTest, DeletedOutputsAreForgottenAndLiveOnesTold) {
  output(OutputState::live, 0, "kept");
  output(OutputState::live, 0, "deleted");
  output(OutputState::retrying, 1, "failing");
  EXPECT_THAT(events_.outputs_are("j", {}, kWhen), IsEmpty());
  const auto told = events_.outputs_are("i", {"kept", "new"}, kWhen);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].type, EventType::output_disconnected);
  EXPECT_EQ(told[0].output_uid, "deleted");
  EXPECT_EQ(told[0].output.state, OutputState::stopping);
  EXPECT_EQ(told[0].at, kWhen);
  EXPECT_THAT(events_.outputs_are("i", {"kept", "new"}, kWhen), IsEmpty());
  EXPECT_EQ(output(OutputState::live, 0, "kept"), "");
  EXPECT_EQ(output(OutputState::retrying, 1, "failing"), "output.errored");
}

TEST_F(NotificationEventsTest, EveryTypeHasAWordAndTheFirstThreeAreTheOriginals) {
  std::vector<std::string> words, originals;
  for (const EventType type : kEventTypes) {
    words.emplace_back(to_string(type));
    if (is_of_the_original(type)) originals.emplace_back(to_string(type));
  }
  EXPECT_THAT(originals,
              ElementsAre("live_input.connected", "live_input.disconnected", "live_input.errored"));
  EXPECT_THAT(words,
              ElementsAre("live_input.connected", "live_input.disconnected", "live_input.errored",
                          "output.connected", "output.disconnected", "output.errored", "output.retrying"));
}

const Timestamp kNow{std::chrono::microseconds(1'700'000'009'999'999)};

TEST(NotificationBodyTest, OfAnInput) {
  const NotificationEvent event{EventType::input_connected, "i", {}, connected(), {}, kWhen};
  EXPECT_EQ(notification_body(event,
                              {.input_name = "Main", .output_name = {}, .video_codec = {}, .audio_codec = {}},
                              "Hook", kNow),
            boost::json::object({{"name", "Hook"},
                                 {"text", "Live input \"Main\" (i) is connected by SRT"},
                                 {"data",
                                  {{"notification_name", "Stream Live Input"},
                                   {"input_id", "i"},
                                   {"event_type", "live_input.connected"},
                                   {"updated_at", "2023-11-14T22:13:20.250000Z"}}},
                                 {"ts", 1'700'000'009}}));
}

TEST(NotificationBodyTest, OfAnInputThatFailed) {
  const NotificationEvent event{
      EventType::input_errored, "i", {}, disconnected(InputReason::ttl_exceeded), {}, kWhen};
  const auto body = notification_body(
      event, {.input_name = {}, .output_name = {}, .video_codec = "h264", .audio_codec = "aac"}, "Hook",
      kNow);
  EXPECT_EQ(body.at("text"), "Live input i has failed: The encoder was lost and did not come back in time");
  EXPECT_EQ(body.at("data").at("live_input_errored"),
            boost::json::value({{"error",
                                 {{"code", "ERR_TTL_EXCEEDED"},
                                  {"message", "The encoder was lost and did not come back in time"}}},
                                {"video_codec", "h264"},
                                {"audio_codec", "aac"}}));
}

TEST(NotificationBodyTest, OfAnOutput) {
  media::OutputStatus status;
  status.state = OutputState::retrying;
  status.message = "it said no";
  status.attempt = 3;
  NotificationEvent event{EventType::output_errored, "i", "o", {}, status, kWhen};
  const EventSubject subject{
      .input_name = "Main", .output_name = "Tube", .video_codec = {}, .audio_codec = {}};
  const auto body = notification_body(event, subject, "Hook", kNow);
  EXPECT_EQ(body.at("text"),
            "Output \"Tube\" (o) of live input \"Main\" (i) has failed and is tried again: it said no");
  EXPECT_EQ(body.at("data"), boost::json::value({{"notification_name", "Stream Live Input"},
                                                 {"input_id", "i"},
                                                 {"event_type", "output.errored"},
                                                 {"updated_at", "2023-11-14T22:13:20.250000Z"},
                                                 {"output_id", "o"},
                                                 {"output_name", "Tube"},
                                                 {"state", "retrying"},
                                                 {"message", "it said no"}}));
  event.type = EventType::output_retrying;
  EXPECT_EQ(notification_body(event, {}, "Hook", kNow).at("text"),
            "Output o of live input i still fails after 3 tries: it said no");
}

// Users and peers choose their words: what does not fit is left out, at the end of a character.
TEST(NotificationBodyTest, LongTextsAreCut) {
  std::string name(std::size_t{1} << 20, 'x');
  name.replace(InputSnapshot::kMaxName - 1, 2, "\u00e4");
  const EventSubject subject{
      .input_name = name, .output_name = name, .video_codec = name, .audio_codec = name};
  const std::string shown(InputSnapshot::kMaxName - 1, 'x');
  NotificationEvent event{EventType::output_errored, "i", "o", {}, {}, kWhen};
  event.output.message = std::string(std::size_t{1} << 20, 'm');
  const auto body = notification_body(event, subject, name, kNow);
  const auto text = [](const boost::json::value& value) { return std::string(value.as_string()); };
  EXPECT_EQ(text(body.at("name")), shown);
  EXPECT_EQ(text(body.at("data").at("output_name")), shown);
  EXPECT_EQ(text(body.at("data").at("message")), std::string(kMaxMessage, 'm'));
  EXPECT_EQ(text(body.at("text")),
            "Output \"" + shown + "\" (o) of live input \"" + shown +
                "\" (i) has failed and is tried again: " + std::string(kMaxMessage, 'm'));
  event = {EventType::input_errored, "i", {}, disconnected(InputReason::ttl_exceeded), {}, kWhen};
  EXPECT_LT(boost::json::serialize(notification_body(event, subject, name, kNow)).size(), 2000U);
}

}  // namespace

}  // namespace simulcast::control::test
