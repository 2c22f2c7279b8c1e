// The same bytes to many sockets in one system call (or a few, if they are many), by io_uring.
//
// A sendmsg() each costs a way into the kernel and back, and on the way back whoever it woke may take the CPU
// at once: with fifty outputs, fifty times per frame. Here the thread comes back when all are written. There
// may be no ring (an old kernel, a container that forbids it, kernel.io_uring_disabled): then each is written
// by itself.
//
// Owned by the daemon's per-shard registry; used on the shard's thread only.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct io_uring_cqe;
struct io_uring_sqe;

namespace simulcast::net {

class GatherRing {
 public:
  // Null where the kernel gives none.
  static std::unique_ptr<GatherRing> make();
  ~GatherRing();
  GatherRing(const GatherRing&) = delete;
  GatherRing& operator=(const GatherRing&) = delete;

  // Writes `pieces` to every socket as a sendmsg() that does not wait. `results`, one for each socket: how
  // many bytes it took, or a negated errno. Nothing of `pieces` is needed afterwards.
  void send(std::span<const int> sockets, std::span<const iovec> pieces, std::span<std::int32_t> results);

 private:
  // A piece of memory that the kernel shares.
  class Mapping {
   public:
    Mapping() = default;
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    bool map(int fd, std::size_t size, std::uint64_t what);
    template <class T>
    T* at(unsigned offset) const {
      return reinterpret_cast<T*>(static_cast<std::byte*>(memory_) + offset);
    }

   private:
    void* memory_ = nullptr;
    std::size_t size_ = 0;
  };

  GatherRing() = default;
  bool open();
  void send_some(std::span<const int> sockets, const void* message, std::span<std::int32_t> results);
  std::size_t reap(std::span<std::int32_t> results);

  int fd_ = -1;
  unsigned entries_ = 0;
  Mapping submissions_, completions_, submission_entries_;
  unsigned *sq_tail_ = nullptr, *sq_array_ = nullptr, *cq_head_ = nullptr, *cq_tail_ = nullptr;
  unsigned sq_mask_ = 0, cq_mask_ = 0;
  io_uring_sqe* sqes_ = nullptr;
  const io_uring_cqe* cqes_ = nullptr;
};

}  // namespace simulcast::net
