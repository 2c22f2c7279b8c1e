// Which sink an output's URL asks for. A new kind of output is one more line here.
#include <boost/asio/awaitable.hpp>
#include <string_view>
#include <utility>

#include "egress/rtmp_sink.hpp"
#include "egress/sink.hpp"

namespace simulcast::egress {

namespace {

// Stands in for an address that cannot work.
class UnusableSink final : public Sink {
 public:
  explicit UnusableSink(std::string message) : message_(std::move(message)) {}

  boost::asio::awaitable<std::optional<Failure>> open() override {
    co_return Failure{Failure::Kind::rejected, message_};
  }
  std::string_view waiting_for() const override { return {}; }
  boost::asio::awaitable<Failure> serve() override { co_return Failure{Failure::Kind::rejected, message_}; }
  void flush() override {}
  boost::asio::awaitable<void> finish() override { co_return; }
  void close() override {}
  SinkStats stats() const override { return {}; }

 private:
  std::string message_;
};

}  // namespace

std::unique_ptr<Sink> make_sink(const OutputSpec& spec, Mailbox& mailbox, const Environment& environment,
                                const boost::asio::any_io_executor& executor) {
  if (spec.url.starts_with("srt://")) {
    return std::make_unique<UnusableSink>(
        "SRT outputs are not supported by this version; use an rtmp:// or rtmps:// URL");
  }
  auto url = rtmp::parse_publish_url(spec.url, spec.stream_key);
  if (url.has_error()) return std::make_unique<UnusableSink>(url.error().message());
  return std::make_unique<RtmpSink>(std::move(*url), spec.verify_tls, mailbox, environment, executor);
}

}  // namespace simulcast::egress
