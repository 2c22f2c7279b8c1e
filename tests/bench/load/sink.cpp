// The destinations: takes any number of RTMP or RTMPS publishes on one thread and checks and times each
// frame.
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "media/payload_slab.hpp"
#include "net/tls.hpp"
#include "net/transport.hpp"
#include "protocol/rtmp/server_session.hpp"
#include "tests/bench/load/arguments.hpp"
#include "tests/bench/load/frames.hpp"
#include "tests/bench/load/measure.hpp"
#include "tests/bench/load/modes.hpp"

namespace simulcast::load {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kLeastRead = 32 * 1024;

// What a measuring window brings.
struct Window {
  unsigned long long video = 0, audio = 0, lost = 0, out_of_order = 0, steps_back = 0, ended = 0;
  unsigned long long altered = 0;  // bodies that are not what was sent
  unsigned long long shifted = 0;  // timestamps beside the offset of the connection's first frame; with --fps
  Samples video_delay, audio_delay;
};

struct Totals {
  unsigned long long connections = 0, publishing = 0, bytes = 0;
  Window window;
};

// One kind of media of one connection.
struct Track {
  std::optional<std::uint64_t> sequence;
  std::optional<std::uint32_t> timestamp;

  void check(const Stamp& stamp, Window& window) {
    // What comes before the first frame seen was before our time.
    if (sequence && stamp.sequence <= *sequence) {
      ++window.out_of_order;
      return;
    }
    if (sequence) window.lost += stamp.sequence - *sequence - 1;
    sequence = stamp.sequence;
  }
  void check(std::uint32_t now, Window& window) {
    if (timestamp && static_cast<std::int32_t>(now - *timestamp) < 0) ++window.steps_back;
    timestamp = now;
  }
};

class Destination {
 public:
  Destination(std::unique_ptr<net::Transport> transport, net::TlsTransport* tls, double fps, Totals& totals)
      : transport_(std::move(transport)), tls_(tls), fps_(fps), totals_(totals) {}

  asio::awaitable<void> run() {
    ++totals_.connections;
    boost::system::error_code ec;
    if (tls_ != nullptr) ec = co_await tls_->handshake();
    if (!ec) co_await receive();
    --totals_.connections;
    if (publishing_) {
      --totals_.publishing;
      ++totals_.window.ended;
    }
    transport_->close();
  }

 private:
  asio::awaitable<void> receive() {
    for (;;) {
      const std::size_t bytes = (co_await transport_->read(slab_.room(kLeastRead))).bytes;
      if (bytes == 0 || !take(slab_.take(bytes))) co_return;
    }
  }

  bool take(const media::Payload& read) {
    auto bytes = read.bytes();
    for (;;) {
      auto event = session_.read(bytes, &read);
      const bool over = event.has_error() || !*event;
      if (!over && std::holds_alternative<rtmp::PublishRequest>(**event)) {
        session_.accept_publish();
        ++totals_.publishing;
        publishing_ = true;
      } else if (!over) {
        if (const auto* message = std::get_if<rtmp::MediaMessage>(&**event)) check(*message);
      }
      if (auto& answers = session_.output(); over && !answers.empty()) {
        const asio::const_buffer piece(answers.data(), answers.size());
        // Answers are a few bytes on an idle direction: what does not fit at once is a broken peer.
        if (transport_->write_some(std::span(&piece, 1)).bytes != answers.size()) return false;
        answers.clear();
      }
      if (over) return !event.has_error();
    }
  }

  void check(const rtmp::MediaMessage& message) {
    const auto body = message.body.bytes();
    totals_.bytes += body.size();
    const bool video = message.type == rtmp::MessageType::video;
    if (!video && message.type != rtmp::MessageType::audio) return;
    const std::size_t at = video ? kVideoStampAt : kAudioStampAt;
    if (body.size() < at) return;
    const auto stamp = read_stamp(body.subspan(at));
    if (!stamp) return;  // a codec header
    Window& window = totals_.window;
    Track& track = video ? video_ : audio_;
    track.check(*stamp, window);
    track.check(message.timestamp, window);
    if (!(video ? is_video_frame(body) : is_audio_frame(body))) ++window.altered;
    if (fps_ > 0)
      check_offset(video ? video_time(stamp->sequence, fps_) : audio_time(stamp->sequence), message.timestamp,
                   window);
    ++(video ? window.video : window.audio);
    (video ? window.video_delay : window.audio_delay).add(now_ns() - stamp->sent_ns);
  }

  // Picture and sound are moved alike.
  void check_offset(std::int64_t sent_at, std::uint32_t timestamp, Window& window) {
    const std::uint32_t offset = timestamp - milliseconds(sent_at);
    if (!offset_) offset_ = offset;
    if (offset != *offset_) ++window.shifted;
  }

  std::unique_ptr<net::Transport> transport_;
  net::TlsTransport* tls_;  // transport_, when it is TLS
  double fps_;              // of the stream; 0: not known
  std::optional<std::uint32_t> offset_;
  Totals& totals_;
  media::PayloadSlab slab_;
  rtmp::ServerSession session_;
  Track video_, audio_;
  bool publishing_ = false;
};

asio::awaitable<void> accept_all(asio::ip::tcp::acceptor& acceptor, std::shared_ptr<net::TlsContext> tls,
                                 double fps, Totals& totals) {
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (ec) fail("accept: " + ec.message());
    std::unique_ptr<net::Transport> transport;
    net::TlsTransport* secure = nullptr;
    if (tls) {
      auto made = net::make_tls_server(std::move(socket), tls);
      secure = made.get();
      transport = std::move(made);
    } else {
      transport = net::make_plain_transport(std::move(socket));
    }
    auto destination = std::make_shared<Destination>(std::move(transport), secure, fps, totals);
    asio::co_spawn(
        acceptor.get_executor(), [destination]() -> asio::awaitable<void> { co_await destination->run(); },
        asio::detached);
  }
}

void report(Totals& totals) {
  Window& window = totals.window;
  std::printf(
      "{\"connections\":%llu,\"publishing\":%llu,\"bytes\":%llu,\"video\":%llu,\"audio\":%llu,\"lost\":%llu,"
      "\"out_of_order\":%llu,\"steps_back\":%llu,\"altered\":%llu,\"shifted\":%llu,\"ended\":%llu,\"delay\":%"
      "s,\"audio_delay\":%s,\"cpu\":%.3f}"
      "\n",
      totals.connections, totals.publishing, totals.bytes, window.video, window.audio, window.lost,
      window.out_of_order, window.steps_back, window.altered, window.shifted, window.ended,
      window.video_delay.json().c_str(), window.audio_delay.json().c_str(), cpu_seconds());
}

// Ends the program at the end of stdin.
asio::awaitable<void> obey(asio::posix::stream_descriptor& commands, Totals& totals) {
  std::string text;
  for (;;) {
    const auto [ec, length] = co_await asio::async_read_until(commands, asio::dynamic_buffer(text), '\n',
                                                              asio::as_tuple(asio::use_awaitable));
    if (ec) std::_Exit(0);
    const std::string command = text.substr(0, length - 1);
    text.erase(0, length);
    if (command == "reset") {
      totals.window = {};
      std::printf("{\"bytes\":%llu}\n", totals.bytes);
    } else if (command == "report") {
      report(totals);
    } else if (command == "take") {
      report(totals);
      totals.window = {};
    } else {
      std::printf("{\"error\":\"reset, report or take\"}\n");
    }
    std::fflush(stdout);
  }
}

}  // namespace

int sink(int argc, char** argv) {
  const Arguments arguments(argc, argv, {"port", "tls-cert", "tls-key", "fps"}, {});
  std::shared_ptr<net::TlsContext> tls;
  if (arguments.has("tls-cert")) {
    tls = net::TlsContext::server(arguments.text("tls-cert"), arguments.text("tls-key"));
  }
  asio::io_context context(1);
  const auto port = static_cast<std::uint16_t>(arguments.number("port", 0));
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
  asio::posix::stream_descriptor commands(context, ::dup(STDIN_FILENO));
  Totals totals;
  asio::co_spawn(context, accept_all(acceptor, tls, arguments.number("fps", 0), totals), asio::detached);
  asio::co_spawn(context, obey(commands, totals), asio::detached);
  std::printf("{\"port\":%d}\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  context.run();
  return 0;
}

}  // namespace simulcast::load
