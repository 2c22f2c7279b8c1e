// Which sink an output's URL asks for. A new kind of output is one more line here.
#include <boost/asio/awaitable.hpp>
#include <string_view>
#include <utility>
#include <variant>

#include "egress/rtmp_sink.hpp"
#include "egress/sink.hpp"
#include "egress/srt_sink.hpp"
#include "net/srt_url.hpp"

namespace simulcast::egress {

namespace {

// Stands in for an address that cannot work.
class UnusableSink final : public Sink {
 public:
  explicit UnusableSink(std::string message) : message_(std::move(message)) {}

  boost::asio::awaitable<std::optional<Failure>> open() override {
    co_return Failure{Failure::Kind::rejected, message_};
  }
  boost::asio::awaitable<Failure> serve() override { co_return Failure{Failure::Kind::rejected, message_}; }
  void flush() override {}
  boost::asio::awaitable<void> finish() override { co_return; }
  void close() override {}
  SinkStats stats() const override { return {}; }

 private:
  std::string message_;
};

}  // namespace

media::PacketForm OutputSpec::form() const {
  return net::is_srt_url(url) ? media::PacketForm::mpegts : media::PacketForm::flv;
}

std::unique_ptr<Sink> make_sink(const OutputSpec& spec, const media::Trail& trail, Mailbox& mailbox,
                                RtmpFanout& fanout, const Environment& environment,
                                const boost::asio::any_io_executor& executor) {
  if (net::is_srt_url(spec.url)) {
    auto url = net::parse_srt_url(spec.url);
    if (auto* problem = std::get_if<net::SrtUrlProblem>(&url)) {
      return std::make_unique<UnusableSink>(std::move(problem->sentence));
    }
    auto& usable = std::get<net::SrtUrl>(url);
    if (!usable.stream_id) usable.stream_id = spec.stream_key;
    return std::make_unique<SrtSink>(std::move(usable), trail, mailbox, environment, executor);
  }
  auto url = rtmp::parse_publish_url(spec.url, spec.stream_key);
  if (url.has_error()) return std::make_unique<UnusableSink>(url.error().message());
  return std::make_unique<RtmpSink>(std::move(*url), spec.verify_tls, trail, mailbox, fanout, environment,
                                    executor);
}

}  // namespace simulcast::egress
