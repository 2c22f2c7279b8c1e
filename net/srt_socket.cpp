#include "net/srt_socket.hpp"

#include <srt/srt.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <utility>

#include "net/endpoint_text.hpp"
#include "net/socket_address.hpp"
#include "net/srt_port.hpp"

namespace simulcast::net {

namespace asio = boost::asio;
using asio::ip::udp;

namespace {

// A lost wake-up costs this much and no more.
constexpr std::chrono::milliseconds kRecheck{250};
// A caller waits this long for an answer; a rendezvous ten times as long.
constexpr int kConnectTimeout = 3000;  // ms
// Silence after which a peer is gone. libsrt also wants 16 unanswered keep-alives of 300 ms each, so this
// makes 4.8 s.
constexpr int kPeerIdleTimeout = 4000;  // ms
constexpr int kBacklog = 64;
constexpr int kRejectClosing = 1503;  // "service unavailable", in SRT's numbers

template <class T>
bool set(SrtHandle handle, SRT_SOCKOPT option, T value) {
  return srt_setsockflag(handle, option, &value, sizeof value) != SRT_ERROR;
}

bool set_text(SrtHandle handle, SRT_SOCKOPT option, const std::string& text) {
  return srt_setsockflag(handle, option, text.data(), static_cast<int>(text.size())) != SRT_ERROR;
}

std::string peer_text(const sockaddr* address, int size) {
  const auto endpoint = endpoint_of<udp::endpoint>(address, static_cast<std::size_t>(std::max(size, 0)));
  return endpoint ? endpoint_text(*endpoint) : "unknown";
}

// Until the flag is set, the connection has failed, or it is time to look again anyway.
asio::awaitable<void> wait_for(std::shared_ptr<SrtReadiness> readiness, asio::steady_timer& wake,
                               bool& flag) {
  const bool failed = std::exchange(readiness->failed, false);
  if (!flag && !failed) {
    wake.expires_after(kRecheck);
    co_await wake.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  flag = false;
}

}  // namespace

SrtSocket::SrtSocket(SrtRuntime& runtime, SrtHandle handle, const asio::any_io_executor& executor)
    : runtime_(runtime), handle_(handle), readiness_(std::make_shared<SrtReadiness>(executor)) {
  runtime_.watch(handle_, readiness_);
}

SrtSocket::~SrtSocket() {
  close();
}

void SrtSocket::close() {
  if (handle_ == kNoSrtHandle) return;
  runtime_.close(std::exchange(handle_, kNoSrtHandle));
  readiness_->failed = true;
  readiness_->read_wake.cancel();
  readiness_->write_wake.cancel();
}

SrtSocket::Received SrtSocket::receive(std::span<std::byte> into) {
  SRT_MSGCTRL control = srt_msgctrl_default;
  const int bytes =
      srt_recvmsg2(handle_, reinterpret_cast<char*>(into.data()), static_cast<int>(into.size()), &control);
  if (bytes > 0) {
    // One message is one packet, whose numbers have 31 bits.
    constexpr std::uint32_t kSequenceMask = 0x7FFF'FFFF;
    const auto sequence = static_cast<std::uint32_t>(control.pktseq) & kSequenceMask;
    const auto before = std::exchange(last_sequence_, sequence);
    return {.bytes = static_cast<std::size_t>(bytes),
            .after_hole = before && ((*before + 1) & kSequenceMask) != sequence};
  }
  if (bytes == 0) return {.ended = true};
  const bool blocked = srt_getlasterror(nullptr) == SRT_EASYNCRCV;
  return {.blocked = blocked, .ended = !blocked};
}

SrtSocket::Sent SrtSocket::send(std::span<const std::byte> message) {
  SRT_MSGCTRL control = srt_msgctrl_default;
  if (srt_sendmsg2(handle_, reinterpret_cast<const char*>(message.data()), static_cast<int>(message.size()),
                   &control) != SRT_ERROR) {
    return Sent::taken;
  }
  return srt_getlasterror(nullptr) == SRT_EASYNCSND ? Sent::blocked : Sent::ended;
}

bool SrtSocket::connected() const {
  return handle_ != kNoSrtHandle && srt_getsockstate(handle_) == SRTS_CONNECTED;
}

asio::awaitable<bool> SrtSocket::wait_readable() {
  const auto readiness = readiness_;
  co_await wait_for(readiness, readiness->read_wake, readiness->readable);
  co_return connected();
}

asio::awaitable<bool> SrtSocket::wait_writable() {
  const auto readiness = readiness_;
  co_await wait_for(readiness, readiness->write_wake, readiness->writable);
  co_return connected();
}

std::string SrtSocket::peer() const {
  udp::endpoint endpoint;
  int size = static_cast<int>(endpoint.capacity());
  if (srt_getpeername(handle_, endpoint.data(), &size) == SRT_ERROR) return "unknown";
  return peer_text(endpoint.data(), size);
}

std::chrono::milliseconds SrtSocket::latency() const {
  int latency = 0;
  int size = sizeof latency;
  srt_getsockflag(handle_, SRTO_RCVLATENCY, &latency, &size);
  return std::chrono::milliseconds(latency);
}

std::size_t SrtSocket::unread() const {
  int count = 0;
  int size = sizeof count;
  const bool known = srt_getsockflag(handle_, SRTO_RCVDATA, &count, &size) != SRT_ERROR;
  return known && count > 0 ? static_cast<std::size_t>(count) : 0;
}

SrtStats SrtSocket::stats() const {
  SRT_TRACEBSTATS raw{};
  if (handle_ == kNoSrtHandle || srt_bistats(handle_, &raw, 0, 1) == SRT_ERROR) return {};
  const auto count = [](auto value) { return value > 0 ? static_cast<std::uint64_t>(value) : 0; };
  SrtStats stats;
  stats.rtt = std::chrono::microseconds(static_cast<std::int64_t>(raw.msRTT * 1000));
  stats.latency = std::chrono::milliseconds(raw.msSndTsbPdDelay);
  stats.send_buffer = std::chrono::milliseconds(raw.msSndBuf);
  stats.unacknowledged_packets = count(raw.pktSndBuf);
  stats.retransmitted = count(raw.pktRetransTotal);
  stats.lost = count(raw.pktSndLossTotal);
  stats.dropped = count(raw.pktSndDropTotal);
  stats.received_lost = count(raw.pktRcvLossTotal);
  stats.received_dropped = count(raw.pktRcvDropTotal);
  return stats;
}

SrtHandle make_srt_handle(SrtRuntime& runtime, const SrtOptions& options) {
  const SrtHandle handle = runtime.create();
  if (handle == kNoSrtHandle) return handle;
  const bool good = set(handle, SRTO_LATENCY, static_cast<int>(options.latency.count())) &&
                    set(handle, SRTO_CONNTIMEO, kConnectTimeout) &&
                    set(handle, SRTO_PEERIDLETIMEO, kPeerIdleTimeout) &&
                    (options.stream_id.empty() || set_text(handle, SRTO_STREAMID, options.stream_id)) &&
                    (options.key_length == 0 || set(handle, SRTO_PBKEYLEN, options.key_length)) &&
                    (options.passphrase.empty() || set_srt_passphrase(handle, options.passphrase)) &&
                    (!options.rendezvous || set(handle, SRTO_RENDEZVOUS, true)) &&
                    (!options.send_drop_delay ||
                     set(handle, SRTO_SNDDROPDELAY, static_cast<int>(options.send_drop_delay->count())));
  if (good) return handle;
  runtime.close(handle);
  return kNoSrtHandle;
}

bool set_srt_passphrase(SrtHandle handle, const std::string& passphrase) {
  return set_text(handle, SRTO_PASSPHRASE, passphrase);
}

bool bind_srt(SrtHandle handle, const udp::endpoint& local) {
  if (local.protocol() == udp::v6() && !set(handle, SRTO_IPV6ONLY, 1)) return false;
  // When another of our sockets has the port, libsrt lets both use it.
  return bind_srt_port(handle, local, true).empty() ||
         srt_bind(handle, local.data(), static_cast<int>(local.size())) != SRT_ERROR;
}

asio::awaitable<std::optional<SrtRejection>> connect_srt(SrtSocket& socket, const udp::endpoint& remote) {
  const SrtHandle handle = socket.handle();
  if (srt_connect(handle, remote.data(), static_cast<int>(remote.size())) == SRT_ERROR) {
    co_return SrtRejection{srt_getrejectreason(handle), false};
  }
  for (;;) {
    const SRT_SOCKSTATUS state = srt_getsockstate(handle);
    if (state == SRTS_CONNECTED) co_return std::nullopt;
    const int reason = srt_getrejectreason(handle);
    if (state != SRTS_CONNECTING || reason != SRT_REJ_UNKNOWN) {
      co_return SrtRejection{reason, reason == SRT_REJ_TIMEOUT || reason == SRT_REJ_UNKNOWN};
    }
    co_await socket.wait_writable();
    if (socket.handle() == kNoSrtHandle) co_return SrtRejection{};
  }
}

bool srt_handshake_failed(SrtHandle handle) {
  return srt_getsockstate(handle) >= SRTS_BROKEN;
}

struct SrtListener::Callback {
  std::mutex mutex;
  Admit admit;  // empty once the listener was closed: libsrt may call a moment longer

  static int run(void* opaque, SRTSOCKET handle, int, const sockaddr* peer, const char* stream_id) {
    auto& self = *static_cast<Callback*>(opaque);
    const int size = peer != nullptr && peer->sa_family == AF_INET6 ? static_cast<int>(sizeof(sockaddr_in6))
                                                                    : static_cast<int>(sizeof(sockaddr_in));
    int code = kRejectClosing;
    try {
      const std::lock_guard lock(self.mutex);
      if (self.admit)
        code = self.admit({handle, stream_id == nullptr ? "" : stream_id, peer_text(peer, size)});
    } catch (...) {  // out of memory, say: libsrt is C
    }
    if (code == 0) return 0;
    srt_setrejectreason(handle, code);
    return -1;
  }
};

SrtListener::SrtListener(SrtRuntime& runtime, const asio::any_io_executor& executor,
                         const SrtOptions& options, Admit admit)
    : runtime_(runtime),
      handle_(make_srt_handle(runtime, options)),
      readiness_(std::make_shared<SrtReadiness>(executor)),
      callback_(std::make_shared<Callback>()) {
  callback_->admit = std::move(admit);
}

SrtListener::~SrtListener() {
  close();
}

std::string SrtListener::open(const udp::endpoint& local) {
  const auto refused = [] { return SrtRuntime::last_error_text(); };
  if (handle_ == kNoSrtHandle) return refused();
  // Nobody else may share the port: a second listener there would take the connections away.
  if (!set(handle_, SRTO_REUSEADDR, false)) return refused();
  if (local.protocol() == udp::v6() && !set(handle_, SRTO_IPV6ONLY, 0)) return refused();
  if (srt_listen_callback(handle_, &Callback::run, callback_.get()) == SRT_ERROR) return refused();
  if (std::string cause = bind_srt_port(handle_, local, false); !cause.empty()) return cause;
  if (srt_listen(handle_, kBacklog) == SRT_ERROR) return refused();
  runtime_.watch(handle_, readiness_);
  return {};
}

udp::endpoint SrtListener::endpoint() const {
  udp::endpoint local;
  int size = static_cast<int>(local.capacity());
  if (srt_getsockname(handle_, local.data(), &size) != SRT_ERROR)
    local.resize(static_cast<std::size_t>(size));
  return local;
}

asio::awaitable<std::optional<SrtHandle>> SrtListener::accept() {
  const auto readiness = readiness_;
  while (handle_ != kNoSrtHandle) {
    const SrtHandle accepted = srt_accept(handle_, nullptr, nullptr);
    if (accepted != SRT_INVALID_SOCK) co_return accepted;
    co_await wait_for(readiness, readiness->read_wake, readiness->readable);
  }
  co_return std::nullopt;
}

void SrtListener::close() {
  if (handle_ == kNoSrtHandle) return;
  {
    const std::lock_guard lock(callback_->mutex);
    callback_->admit = nullptr;
  }
  runtime_.close(std::exchange(handle_, kNoSrtHandle), callback_);
  readiness_->failed = true;
  readiness_->read_wake.cancel();
}

}  // namespace simulcast::net
