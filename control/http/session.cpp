#include "control/http/session.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "control/http/envelope.hpp"
#include "control/http/hang_up.hpp"
#include "control/http/message.hpp"

namespace simulcast::control {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

namespace {

// Gives the code instead of throwing it: peers go away all the time.
constexpr auto kResult = asio::as_tuple(asio::use_awaitable);

// How long what a client still sends is swallowed after the last answer: closing with bytes unread would
// reset the connection, and the answer might be lost with it (RFC 9112, 9.6).
constexpr std::chrono::seconds kLinger{2};
constexpr std::chrono::seconds kStopWriting{1};
// What answers that take their time, and those without an end, are bounded by themselves.
constexpr std::chrono::hours kStreaming{24};
// More than the header limit (which is the parser's to enforce), and what bounds a chunk's header and
// trailer.
constexpr std::size_t kReadBuffer = 64 * 1024;
constexpr std::size_t kReadAtOnce = 4096;

using PlainStream = tcp::socket;
using TlsStream = asio::ssl::stream<tcp::socket>;

template <class Stream>
class Session final : public HttpSession {
 public:
  Session(HttpService& service, Stream stream, bool refuse)
      : service_(service), stream_(std::move(stream)), refuse_(refuse), timer_(stream_.get_executor()) {
    error_code ignored;
    socket().set_option(tcp::no_delay(true), ignored);
    const auto peer = socket().remote_endpoint(ignored);
    if (!ignored) peer_ = fmt::format("{}:{}", peer.address().to_string(), peer.port());
    address_ = peer.address();
    service_.sessions.insert(this);
    if (refuse_) ++service_.refusals;
  }
  ~Session() {
    service_.sessions.erase(this);
    if (refuse_) --service_.refusals;
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  asio::awaitable<void> run() {
    using namespace asio::experimental::awaitable_operators;
    co_await (converse_or_log() || watch());
  }

  std::optional<Clock::time_point> waiting_since() const override { return waiting_since_; }

  void stop() override {
    waiting_since_.reset();
    if (writing_) {
      set_deadline(kStopWriting);
    } else {
      error_code ignored;
      socket().close(ignored);
    }
  }

 private:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  tcp::socket& socket() {
    if constexpr (kTls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  // --- Time: one deadline, moved from step to step. When it passes, what is under way is cancelled.

  void set_deadline(Clock::duration from_now) {
    expired_ = false;
    deadline_ = Clock::now() + from_now;
    timer_.cancel();  // the watch looks again
  }

  asio::awaitable<void> watch() {
    for (;;) {
      timer_.expires_at(deadline_);
      co_await timer_.async_wait(kResult);
      if (Clock::now() < deadline_) continue;
      expired_ = true;
      deadline_ = Clock::time_point::max();
      error_code ignored;
      socket().cancel(ignored);
    }
  }

  // --- The conversation

  // Comes back whatever happens, and so ends the watch.
  asio::awaitable<void> converse_or_log() {
    try {
      co_await converse();
    } catch (const std::exception& error) {
      spdlog::error("http session failed peer={} error=\"{}\"", peer_, error.what());
    }
  }

  asio::awaitable<void> converse() {
    set_deadline(service_.limits.request);
    if (!refuse_) waiting_since_ = Clock::now();
    if constexpr (kTls) {
      const auto [error] = co_await stream_.async_handshake(TlsStream::server, kResult);
      if (error) {
        spdlog::debug("http handshake failed peer={} error=\"{}\"", peer_, error.message());
        co_return;
      }
    }
    if (refuse_) {
      Response response =
          failure(Problem::too_many_requests, "There are too many connections; try again in a moment");
      response.headers.emplace_back("Retry-After", "1");
      co_await reply_to_fault(std::move(response));
    } else {
      bool more = true;
      while (more) {
        more = co_await exchange();
        if (more) more = co_await another_begins();
      }
    }
    if (!service_.stopping) co_await linger();
  }

  // Waits for the first byte of one more request.
  asio::awaitable<bool> another_begins() {
    if (service_.stopping) co_return false;
    waiting_since_ = Clock::now();
    if (buffer_.size() == 0) {
      set_deadline(service_.limits.idle);
      const error_code error = co_await read_more();
      if (error) co_return false;
    }
    set_deadline(service_.limits.request);
    co_return true;
  }

  asio::awaitable<error_code> read_more() {
    const auto space = buffer_.prepare(kReadAtOnce);
    const auto [error, bytes] = co_await stream_.async_read_some(space, kResult);
    if (!error) buffer_.commit(bytes);
    co_return error;
  }

  // As http::async_read_header, but that it sees what the parser hides.
  asio::awaitable<error_code> read_header(HttpParser& parser) {
    parser.eager(false);
    for (;;) {
      error_code error = http::error::need_more;
      if (const auto bytes = buffer_.data(); bytes.size() > 0) {
        if (folds_a_header({static_cast<const char*>(bytes.data()), bytes.size()})) {
          co_return http::error::bad_obs_fold;
        }
        buffer_.consume(parser.put(bytes, error));
      }
      if (error && error != http::error::need_more) co_return error;
      if (parser.is_header_done()) co_return error_code{};
      if (!error) continue;
      error = co_await read_more();
      if (error == asio::error::eof) {
        if (!parser.got_some()) co_return http::error::end_of_stream;
        parser.put_eof(error);
      }
      if (error) co_return error;
    }
  }

  // As http::async_read, but that the parser is never given less than what the shortest rest of a chunked
  // body has ("0", two line ends): it asserts that there is as much (boostorg/beast#2861).
  asio::awaitable<error_code> read_body(HttpParser& parser, ByteBudget::Share& unanswered) {
    constexpr std::size_t kShortestRest = 5;
    std::size_t least = 1;
    parser.eager(true);
    while (!parser.is_done()) {
      error_code error = http::error::need_more;
      if (buffer_.size() >= least) buffer_.consume(parser.put(buffer_.data(), error));
      if (!unanswered.grow_to(parser.get().body().size())) co_return asio::error::no_memory;
      if (!error || parser.is_done()) continue;
      if (error != http::error::need_more) co_return error;
      if (parser.chunked()) least = kShortestRest;
      if (buffer_.size() + kReadAtOnce > buffer_.max_size()) co_return http::error::buffer_overflow;
      error = co_await read_more();
      if (error == asio::error::eof) co_return http::error::partial_message;
      if (error) co_return error;
    }
    co_return error_code{};
  }

  static Response no_room() {
    Response response = failure(Problem::no_room,
                                "Too much waits in memory for clients that are slow to send or to read; try "
                                "again in a moment");
    response.headers.emplace_back("Retry-After", "1");
    return response;
  }

  // One request and its answer; false when the connection is to end.
  asio::awaitable<bool> exchange() {
    HttpParser parser;
    parser.header_limit(service_.limits.header);
    parser.body_limit(service_.limits.body);
    const error_code header_error = co_await read_header(parser);
    if (header_error) co_return co_await end_unread(header_error);

    const std::string problem = header_problem(parser);
    if (!problem.empty()) {
      co_await reply_to_fault(failure(Problem::bad_http, problem));
      co_return false;
    }
    // Taken before the body is read: what a chunked body's trailer adds must not pass for a header.
    Request request = request_of(parser.get());
    request.from = address_;
    request.from_this_machine = address_.is_loopback() && request.header("X-Forwarded-For").empty() &&
                                request.header("Forwarded").empty();
    if (awaits_continue(parser) && buffer_.size() == 0) {
      http::response<http::empty_body> go_on(http::status::continue_, parser.get().version());
      const auto [error, bytes] = co_await http::async_write(stream_, go_on, kResult);
      if (error) co_return false;
    }
    std::optional<ByteBudget::Share> unanswered;
    unanswered.emplace(service_.requests);
    const error_code body_error = co_await read_body(parser, *unanswered);
    if (body_error) co_return co_await end_unread(body_error);
    request.body = std::move(parser.get().body());
    waiting_since_.reset();

    const auto began = Clock::now();
    const bool reads = request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
    // What changes something must not be told that it has failed when it has not: so it is asked before.
    Response response = !reads && service_.answers.full() ? no_room() : service_.handler(request);
    if (response.later) {
      set_deadline(kStreaming);
      auto answer = co_await answer_unless_hung_up(std::move(response.later), socket());
      if (!answer) co_return false;
      response = std::move(*answer);
    }
    std::exchange(request.body, {});
    unanswered.reset();
    if (!response.shared) response.shared = std::make_shared<const std::string>(std::move(response.body));
    auto held = service_.answers.hold(response.shared, !reads || request.method == "HEAD");
    if (!held) {
      response = no_room();
      response.shared = std::make_shared<const std::string>(std::move(response.body));
    }
    const std::chrono::duration<double, std::milli> took = Clock::now() - began;
    log(request, response, took.count());
    if (response.source && request.method != "HEAD") {
      co_await write_on_and_on(std::move(response), std::move(held), parser.get().version());
      co_return false;
    }
    const bool keep = parser.get().keep_alive() && !service_.stopping;
    const bool written = co_await write(std::move(response), request.method == "HEAD", keep);
    if (!written) co_return false;
    co_return keep;
  }

  // What kept a request from being read, if there is anybody left to hear it.
  std::optional<Response> answer_to(error_code error) const {
    if (service_.stopping) return std::nullopt;
    if (expired_) return failure(Problem::request_timeout, "The request was not complete in time");
    if (error == asio::error::no_memory) return no_room();
    const auto fault = fault_of(error, service_.limits);
    if (!fault) return std::nullopt;
    return failure(fault->problem, fault->message);
  }

  asio::awaitable<bool> end_unread(error_code error) {
    std::optional<Response> response = answer_to(error);
    if (response) co_await reply_to_fault(std::move(*response));
    co_return false;
  }

  asio::awaitable<void> reply_to_fault(Response response) {
    spdlog::warn("http request refused status={} peer={}", response.status, peer_);
    // A coroutine takes its parameter by value, which is taken for a use after the move.
    // NOLINTNEXTLINE(bugprone-use-after-move)
    co_await write(std::move(response), false, false);
  }

  asio::awaitable<bool> write(Response response, bool head_only, bool keep) {
    set_deadline(service_.limits.response);
    writing_ = true;
    error_code error;
    if (head_only) {
      http::response<http::empty_body> message;
      fill_header(message, response, keep);
      std::tie(error, std::ignore) = co_await http::async_write(stream_, message, kResult);
    } else {
      const std::string_view text = response.text();
      http::response<http::span_body<const char>> message;
      fill_header(message, response, keep);
      message.body() = {text.data(), text.size()};
      std::tie(error, std::ignore) = co_await http::async_write(stream_, message, kResult);
    }
    writing_ = false;
    if (error) {  // nobody is there to linger for
      error_code ignored;
      socket().close(ignored);
    }
    co_return !error;
  }

  // A body without a known end: in chunks, or for HTTP/1.0 up to the end of the connection.
  asio::awaitable<void> write_on_and_on(Response response, std::shared_ptr<const ByteBudget::Share> held,
                                        unsigned version) {
    http::response<http::empty_body> header;
    fill_header(header, response, false);
    const bool chunked = version != 10;
    header.chunked(chunked);
    http::response_serializer<http::empty_body> serializer(header);
    set_deadline(service_.limits.response);
    auto [error, bytes] = co_await http::async_write_header(stream_, serializer, kResult);
    Text piece = std::move(response.shared);
    while (!error && !service_.stopping) {
      if (!piece->empty()) {
        set_deadline(service_.limits.response);
        error = co_await write_piece(*piece, chunked);
        if (error) break;
      }
      piece.reset();
      held.reset();
      set_deadline(kStreaming);
      piece = co_await response.source->next();
      if (!piece) break;
    }
    if (!error && chunked && !piece) {
      set_deadline(service_.limits.response);
      std::tie(error, std::ignore) = co_await asio::async_write(stream_, http::make_chunk_last(), kResult);
    }
  }

  asio::awaitable<error_code> write_piece(const std::string& piece, bool chunked) {
    const asio::const_buffer data = asio::buffer(piece);
    error_code error;
    if (chunked) {
      const auto chunk = http::make_chunk(data);
      std::tie(error, std::ignore) = co_await asio::async_write(stream_, chunk, kResult);
    } else {
      std::tie(error, std::ignore) = co_await asio::async_write(stream_, data, kResult);
    }
    co_return error;
  }

  // Says goodbye, and swallows what still comes until the client has heard it.
  asio::awaitable<void> linger() {
    set_deadline(kLinger);
    error_code ignored;
    if constexpr (kTls) {
      co_await stream_.async_shutdown(kResult);
      if (expired_) co_return;
    }
    socket().shutdown(tcp::socket::shutdown_send, ignored);
    std::array<char, 4096> scrap;
    for (;;) {
      const auto [error, bytes] = co_await socket().async_read_some(asio::buffer(scrap), kResult);
      if (error) co_return;
    }
  }

  // Never the query, headers or bodies: any of them may hold a secret.
  void log(const Request& request, const Response& response, double milliseconds) const {
    const auto level = response.status >= 500 ? spdlog::level::warn : spdlog::level::debug;
    spdlog::log(level, "http request method={} path={} status={} ms={:.2f} peer={}", request.method,
                request.target.substr(0, request.target.find('?')), response.status, milliseconds, peer_);
  }

  HttpService& service_;
  Stream stream_;
  const bool refuse_;
  std::string peer_;
  asio::ip::address address_;
  beast::flat_buffer buffer_{kReadBuffer};

  asio::steady_timer timer_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::optional<Clock::time_point> waiting_since_;
  bool expired_ = false;  // the deadline has passed
  bool writing_ = false;
};

}  // namespace

asio::awaitable<void> run_http_session(std::shared_ptr<HttpService> service, tcp::socket socket,
                                       bool refuse) {
  if (service->tls) {
    Session<TlsStream> session(*service, TlsStream(std::move(socket), *service->tls), refuse);
    co_await session.run();
  } else {
    Session<PlainStream> session(*service, std::move(socket), refuse);
    co_await session.run();
  }
}

}  // namespace simulcast::control
