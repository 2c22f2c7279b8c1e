#include "net/srt_runtime.hpp"

#include <srt/srt.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "net/srt_port.hpp"
#include "net/start_thread.hpp"

namespace simulcast::net {

namespace asio = boost::asio;
using asio::ip::udp;

namespace {

// libsrt wakes the poller at once; this only bounds how long it sleeps through the end of the process.
constexpr std::int64_t kPollTimeout = 100;  // ms
constexpr int kEventsAtOnce = 256;
// The oldest peer with a stream id and this encryption handshake.
constexpr int kMinVersion = 0x010300;
// The largest datagram there is, so that none is refused that a peer could send.
constexpr int kPayloadSize = 1456;

// Why libsrt could not be started when this thread last asked for it.
thread_local std::string start_problem;

void log_nothing(void*, int, const char*, int, const char*, const char*) {}

template <class T>
bool set(SrtHandle handle, SRT_SOCKOPT option, T value) {
  return srt_setsockflag(handle, option, &value, sizeof value) != SRT_ERROR;
}

}  // namespace

SrtReadiness::SrtReadiness(const asio::any_io_executor& on) : executor(on), read_wake(on), write_wake(on) {}

SrtRuntime::SrtRuntime() = default;

SrtRuntime::~SrtRuntime() {
  {
    const std::lock_guard lock(mutex_);
    if (!started_) return;
    stopping_ = true;
  }
  closing_changed_.notify_all();
  poller_.join();
  closer_.join();
  for (const SharedPort& port : {shared_v4_, shared_v6_}) {
    if (port.anchor != kNoSrtHandle) srt_close(port.anchor);
  }
  srt_epoll_release(epoll_);
  srt_cleanup();
}

// With the mutex held.
void SrtRuntime::start() {
  if (started_) return;
  // Its log would go to standard error in a form of its own; every cause that matters is logged by us.
  srt_setloghandler(nullptr, log_nothing);
  // It sets no error. On this system a thread of its own is all that it can fail for.
  if (srt_startup() == SRT_ERROR) throw TooFewThreads(std::make_error_code(std::errc(EAGAIN)));
  epoll_ = srt_epoll_create();
  srt_epoll_set(epoll_, SRT_EPOLL_ENABLE_EMPTY);
  try {
    poller_ = start_thread([this] { poll(); });
    closer_ = start_thread([this] { close_loop(); });
  } catch (...) {
    stopping_ = true;
    if (poller_.joinable()) poller_.join();  // it takes no mutex while nothing is watched
    stopping_ = false;
    srt_epoll_release(epoll_);
    srt_cleanup();
    throw;
  }
  started_ = true;
}

SrtHandle SrtRuntime::create() {
  try {
    const std::lock_guard lock(mutex_);
    start();
    start_problem.clear();
  } catch (const std::exception& error) {
    start_problem = error.what();
    return kNoSrtHandle;
  }
  const SrtHandle handle = srt_create_socket();
  if (handle == SRT_INVALID_SOCK) return kNoSrtHandle;
  set(handle, SRTO_TRANSTYPE, SRTT_LIVE);
  set(handle, SRTO_RCVSYN, false);
  set(handle, SRTO_SNDSYN, false);
  set(handle, SRTO_MINVERSION, kMinVersion);
  set(handle, SRTO_ENFORCEDENCRYPTION, true);
  set(handle, SRTO_PAYLOADSIZE, kPayloadSize);
  // SRTO_LOSSMAXTTL stays 0: a missing packet is asked for at once. Waiting for so many others to overtake it
  // costs a slow stream its whole latency.
  return handle;
}

bool SrtRuntime::bind_outgoing(SrtHandle handle, bool v6) {
  const std::lock_guard lock(mutex_);
  SharedPort& shared = v6 ? shared_v6_ : shared_v4_;
  const auto bind = [v6](SrtHandle socket, std::uint16_t port) {
    const udp::endpoint local(v6 ? udp::v6() : udp::v4(), port);
    // A name that is both: without it libsrt refuses IPv6 (SRTO_IPV6ONLY must be set to bind to ::).
    if (v6) set(socket, SRTO_IPV6ONLY, 1);
    if (port == 0) return bind_srt_port(socket, local, true).empty();
    return srt_bind(socket, local.data(), static_cast<int>(local.size())) != SRT_ERROR;
  };
  if (shared.anchor == kNoSrtHandle) {
    const SrtHandle made = srt_create_socket();
    if (made == SRT_INVALID_SOCK || !bind(made, 0)) return false;
    udp::endpoint local;
    int size = static_cast<int>(local.capacity());
    srt_getsockname(made, local.data(), &size);
    local.resize(static_cast<std::size_t>(size));
    shared = {made, local.port()};
  }
  return bind(handle, shared.port);
}

void SrtRuntime::watch(SrtHandle handle, std::shared_ptr<SrtReadiness> readiness) {
  {
    const std::lock_guard lock(mutex_);
    watched_[handle] = std::move(readiness);
  }
  // Edge-triggered: a level would be reported again and again until the shard has dealt with it.
  const int events = static_cast<int>(SRT_EPOLL_IN | SRT_EPOLL_OUT | SRT_EPOLL_ERR | SRT_EPOLL_ET);
  srt_epoll_add_usock(epoll_, handle, &events);
}

void SrtRuntime::close(SrtHandle handle, std::shared_ptr<void> keep_alive) {
  const std::lock_guard lock(mutex_);
  watched_.erase(handle);
  closing_.push_back({handle, std::move(keep_alive)});
  closing_changed_.notify_all();
}

std::string SrtRuntime::last_error_text() {
  return start_problem.empty() ? srt_getlasterror_str() : start_problem;
}

void SrtRuntime::report(SrtHandle handle, unsigned events) {
  std::shared_ptr<SrtReadiness> readiness;
  {
    const std::lock_guard lock(mutex_);
    const auto found = watched_.find(handle);
    if (found == watched_.end()) return;
    readiness = found->second;
  }
  // One handler under way is enough: it takes along what comes until it runs.
  if (readiness->posted.fetch_or(events) != 0) return;
  SrtReadiness& target = *readiness;
  asio::post(target.executor, [readiness = std::move(readiness)] {
    const unsigned seen = readiness->posted.exchange(0);
    if ((seen & SRT_EPOLL_IN) != 0) readiness->readable = true;
    if ((seen & SRT_EPOLL_OUT) != 0) readiness->writable = true;
    if ((seen & SRT_EPOLL_ERR) != 0) readiness->failed = true;
    if (readiness->readable || readiness->failed) readiness->read_wake.cancel();
    if (readiness->writable || readiness->failed) readiness->write_wake.cancel();
  });
}

void SrtRuntime::poll() {
  std::array<SRT_EPOLL_EVENT, kEventsAtOnce> events;
  while (!stopping_) {
    const int count = srt_epoll_uwait(epoll_, events.data(), kEventsAtOnce, kPollTimeout);
    for (int i = 0; i < count && i < kEventsAtOnce; ++i) {
      report(events[static_cast<std::size_t>(i)].fd,
             static_cast<unsigned>(events[static_cast<std::size_t>(i)].events));
    }
  }
}

void SrtRuntime::close_loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_ || !closing_.empty()) {
    if (closing_.empty()) {
      closing_changed_.wait(lock);
      continue;
    }
    std::vector<Closing> now = std::exchange(closing_, {});
    lock.unlock();
    for (Closing& one : now) {
      srt_epoll_remove_usock(epoll_, one.handle);
      srt_close(one.handle);
      one.keep_alive.reset();
    }
    lock.lock();
  }
}

}  // namespace simulcast::net
