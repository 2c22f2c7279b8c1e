#include "net/dns_lookup.hpp"

#include <ares.h>
#include <sys/time.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <new>
#include <utility>

#include "net/socket_address.hpp"

namespace simulcast::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// Each server is asked three times, and given 2 s, 4 s and 8 s: a name server that takes ten seconds, because
// another one that it asks is slow, is still heard.
constexpr int kTimeout = 2000;  // ms, of the first question
constexpr int kTries = 3;

void init_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS) throw std::bad_alloc();
}

DnsAnswer::Outcome outcome_of(int status) {
  switch (status) {
    case ARES_SUCCESS:
      return DnsAnswer::Outcome::found;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
      return DnsAnswer::Outcome::unknown;
    default:
      return DnsAnswer::Outcome::unavailable;
  }
}

}  // namespace

// Kept by the handlers that wait; the channel goes with the DnsLookup.
struct DnsLookup::Impl : std::enable_shared_from_this<Impl> {
  struct Socket {
    explicit Socket(asio::io_context& context, int handle) : descriptor(context, handle) {}
    asio::posix::stream_descriptor descriptor;  // c-ares owns the handle
    bool wants[2] = {};                         // to be woken for reading, for writing
    bool waits[2] = {};
  };

  Impl(asio::io_context& given, std::function<void(DnsAnswer)> to)
      : context(given), done(std::move(to)), timer(given) {}

  void begin(const std::string& host, const std::string& servers);
  void end();
  void wait_for(int handle);
  void wait_for(int handle, const std::shared_ptr<Socket>& socket, bool write);
  void wait_for_timeout();
  void process(int readable, int writable);
  void finish(DnsAnswer answer);

  static void socket_changed(void* self, ares_socket_t handle, int readable, int writable);
  static void answered(void* self, int status, int timeouts, ares_addrinfo* list);

  asio::io_context& context;
  std::function<void(DnsAnswer)> done;
  asio::steady_timer timer;
  ares_channel channel = nullptr;  // null: it has ended
  std::map<int, std::shared_ptr<Socket>> sockets;
};

DnsLookup::DnsLookup(asio::io_context& context, const std::string& host, const std::string& servers,
                     std::function<void(DnsAnswer)> done)
    : impl_(std::make_shared<Impl>(context, std::move(done))) {
  impl_->begin(host, servers);
}

DnsLookup::~DnsLookup() {
  impl_->end();
}

void DnsLookup::Impl::begin(const std::string& host, const std::string& servers) {
  init_library();
  ares_options options{};
  options.timeout = kTimeout;
  options.tries = kTries;
  options.sock_state_cb = socket_changed;
  options.sock_state_cb_data = this;
  if (ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) !=
      ARES_SUCCESS) {
    channel = nullptr;
    return finish({});
  }
  if (!servers.empty()) ares_set_servers_ports_csv(channel, servers.c_str());
  // No ARES_AI_ADDRCONFIG: it leaves out ::1 and 127.0.0.1 on hosts without other addresses.
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, answered, this);
  wait_for_timeout();
}

void DnsLookup::Impl::end() {
  done = nullptr;
  timer.cancel();
  if (channel != nullptr) ares_destroy(std::exchange(channel, nullptr));
}

void DnsLookup::Impl::finish(DnsAnswer answer) {
  if (!done) return;
  // Not from within c-ares, which is still at work.
  asio::post(context, [self = shared_from_this(), answer = std::move(answer)]() mutable {
    if (auto to = std::exchange(self->done, nullptr)) to(std::move(answer));
  });
}

void DnsLookup::Impl::answered(void* self, int status, int, ares_addrinfo* list) {
  DnsAnswer answer{.outcome = outcome_of(status), .found = {}};
  for (const ares_addrinfo_node* one = list != nullptr ? list->nodes : nullptr; one != nullptr;
       one = one->ai_next) {
    if (const auto endpoint = endpoint_of<tcp::endpoint>(one->ai_addr, one->ai_addrlen))
      answer.found.push_back(*endpoint);
  }
  if (list != nullptr) ares_freeaddrinfo(list);
  if (answer.outcome == DnsAnswer::Outcome::found && answer.found.empty())
    answer.outcome = DnsAnswer::Outcome::unknown;
  static_cast<Impl*>(self)->finish(std::move(answer));
}

void DnsLookup::Impl::socket_changed(void* self, ares_socket_t handle, int readable, int writable) {
  auto& impl = *static_cast<Impl*>(self);
  if (readable == 0 && writable == 0) {
    const auto found = impl.sockets.find(handle);
    if (found == impl.sockets.end()) return;
    found->second->descriptor.release();  // c-ares closes it
    impl.sockets.erase(found);
    return;
  }
  auto& socket = impl.sockets[handle];
  if (!socket) socket = std::make_shared<Socket>(impl.context, handle);
  socket->wants[0] = readable != 0;
  socket->wants[1] = writable != 0;
  impl.wait_for(handle);
}

void DnsLookup::Impl::wait_for(int handle) {
  const auto found = sockets.find(handle);
  if (found == sockets.end()) return;
  for (const bool write : {false, true}) wait_for(handle, found->second, write);
}

void DnsLookup::Impl::wait_for(int handle, const std::shared_ptr<Socket>& socket, bool write) {
  if (!socket->wants[write] || std::exchange(socket->waits[write], true)) return;
  using Descriptor = asio::posix::stream_descriptor;
  socket->descriptor.async_wait(
      write ? Descriptor::wait_write : Descriptor::wait_read,
      [self = shared_from_this(), socket, handle, write](boost::system::error_code ec) {
        socket->waits[write] = false;
        if (ec || self->channel == nullptr) return;
        self->process(write ? ARES_SOCKET_BAD : handle, write ? handle : ARES_SOCKET_BAD);
        self->wait_for(handle);
      });
}

void DnsLookup::Impl::wait_for_timeout() {
  if (channel == nullptr) return;
  timeval time{};
  if (ares_timeout(channel, nullptr, &time) == nullptr) return;
  timer.expires_after(std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec));
  timer.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec && self->channel != nullptr) self->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

void DnsLookup::Impl::process(int readable, int writable) {
  ares_process_fd(channel, readable, writable);
  wait_for_timeout();
}

}  // namespace simulcast::net
