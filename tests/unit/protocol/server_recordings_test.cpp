// Whole sessions of real encoders, recorded: see the .info beside each fixture.
#include <gtest/gtest.h>

#include "protocol/rtmp/server_session.hpp"
#include "tests/unit/protocol/session_driver.hpp"

namespace simulcast::rtmp {
namespace {

using test::Bytes;
using test::feed;
using test::info_of;
using test::Peer;
using test::operator+;  // NOLINT(misc-unused-using-decls): not seen in expressions

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

TEST(ServerRecordings, RecordedClientsAreUnderstoodHoweverTheirBytesArrive) {
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

}  // namespace
}  // namespace simulcast::rtmp
