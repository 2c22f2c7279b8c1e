// A publisher written by hand, up to a given point, against a server session.
#pragma once

#include <gtest/gtest.h>

#include "protocol/rtmp/server_session.hpp"
#include "tests/unit/protocol/session_driver.hpp"

namespace simulcast::test {

inline rtmp::amf0::Value connect_object(std::string_view app) {
  return rtmp::amf0::Object{{{"app", app},
                             {"type", "nonprivate"},
                             {"flashVer", "FMLE/3.0 (compatible; FMSc/1.0)"},
                             {"tcUrl", "rtmp://host/live"}},
                            {}};
}

struct Publisher {
  rtmp::ServerSession session{{.handshake_seed = 1}};
  Peer peer;

  Fed<rtmp::ServerSession> send(const Bytes& bytes) { return feed(session, bytes); }
  Fed<rtmp::ServerSession> command(std::initializer_list<rtmp::amf0::Value> values,
                                   std::uint32_t stream_id = 0) {
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
    peer.read(command({"createStream", 2.0, rtmp::amf0::Null{}}).sent);
    const auto fed = command({"publish", 3.0, rtmp::amf0::Null{}, "KEY", "live"}, 1);
    ASSERT_EQ(fed.events.size(), 1U);
    ASSERT_TRUE(std::holds_alternative<rtmp::PublishRequest>(fed.events[0]));
    session.accept_publish();
    peer.read(session.output());
    session.output().clear();
  }
};

}  // namespace simulcast::test
