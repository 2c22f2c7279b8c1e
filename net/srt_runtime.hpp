// libsrt in this process: started with the first SRT socket, and the threads that keep it off the shards.
//
// One poller thread waits for the readiness of every SRT socket and posts it to the executor the socket lives
// on; one closer thread closes sockets, for srt_close takes locks that a shard must not wait for. libsrt's
// own threads come on top: two for each UDP port. All outgoing connections share one port a family
// (bind_outgoing), so their number does not grow with the outputs. Owned by daemon::Application, destroyed
// after everything that uses it; every member function may be called on any thread.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace simulcast::net {

using SrtHandle = int;  // libsrt's SRTSOCKET; its header stays out of ours
inline constexpr SrtHandle kNoSrtHandle = -1;

// What the poller has seen of one socket. Shared by the socket and the poller; everything but `posted`
// belongs to the socket's executor.
struct SrtReadiness {
  explicit SrtReadiness(const boost::asio::any_io_executor& executor);

  const boost::asio::any_io_executor executor;
  std::atomic<unsigned> posted{0};  // events on their way to the executor
  bool readable = false;
  bool writable = false;
  bool failed = false;
  boost::asio::steady_timer read_wake;  // cancelled when readable or failed
  boost::asio::steady_timer write_wake;
};

class SrtRuntime {
 public:
  SrtRuntime();
  ~SrtRuntime();
  SrtRuntime(const SrtRuntime&) = delete;
  SrtRuntime& operator=(const SrtRuntime&) = delete;

  // A new socket, non-blocking, with the options that all of ours share; kNoSrtHandle when libsrt has no
  // resources.
  SrtHandle create();
  // Binds a new caller's socket to the UDP port that all of them share. False with the cause in
  // last_error_text().
  bool bind_outgoing(SrtHandle handle, bool v6);

  // Readiness of `handle` goes to `readiness` until it is closed.
  void watch(SrtHandle handle, std::shared_ptr<SrtReadiness> readiness);
  // Closes it soon, and keeps `keep_alive` until that has been done: no callback comes after.
  void close(SrtHandle handle, std::shared_ptr<void> keep_alive = nullptr);

  // The last error of libsrt on this thread, in words.
  static std::string last_error_text();

 private:
  struct Closing {
    SrtHandle handle;
    std::shared_ptr<void> keep_alive;
  };

  void start();
  void poll();
  void close_loop();
  void report(SrtHandle handle, unsigned events);

  std::mutex mutex_;
  bool started_ = false;
  int epoll_ = -1;
  std::map<SrtHandle, std::shared_ptr<SrtReadiness>> watched_;
  // Bound, never connected: they keep the shared ports from closing between two outputs.
  struct SharedPort {
    SrtHandle anchor = kNoSrtHandle;
    std::uint16_t port = 0;
  };
  SharedPort shared_v4_, shared_v6_;
  std::vector<Closing> closing_;
  std::condition_variable closing_changed_;
  std::atomic<bool> stopping_{false};
  std::thread poller_;
  std::thread closer_;
};

}  // namespace simulcast::net
