#include "net/gather_ring.hpp"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace simulcast::net {

namespace {

constexpr unsigned kEntries = 256;
// What one call writes at most: a destination should get its keyframe and read it while the next ones are
// written.
constexpr std::size_t kCallBytes = std::size_t{1} << 20;
constexpr std::size_t kLeastSockets = 8;

}  // namespace

GatherRing::Mapping::~Mapping() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
}

bool GatherRing::Mapping::map(int fd, std::size_t size, std::uint64_t what) {
  void* memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(what));
  if (memory == MAP_FAILED) return false;
  memory_ = memory;
  size_ = size;
  return true;
}

std::unique_ptr<GatherRing> GatherRing::make() {
  std::unique_ptr<GatherRing> ring(new GatherRing);
  return ring->open() ? std::move(ring) : nullptr;
}

GatherRing::~GatherRing() {
  if (fd_ >= 0) ::close(fd_);
}

bool GatherRing::open() {
  io_uring_params params{};
  fd_ = static_cast<int>(::syscall(SYS_io_uring_setup, kEntries, &params));
  if (fd_ < 0) return false;
  if (!submissions_.map(fd_, params.sq_off.array + params.sq_entries * sizeof(unsigned),
                        IORING_OFF_SQ_RING) ||
      !completions_.map(fd_, params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe),
                        IORING_OFF_CQ_RING) ||
      !submission_entries_.map(fd_, params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES)) {
    return false;
  }
  entries_ = params.sq_entries;
  sq_tail_ = submissions_.at<unsigned>(params.sq_off.tail);
  sq_array_ = submissions_.at<unsigned>(params.sq_off.array);
  sq_mask_ = *submissions_.at<unsigned>(params.sq_off.ring_mask);
  cq_head_ = completions_.at<unsigned>(params.cq_off.head);
  cq_tail_ = completions_.at<unsigned>(params.cq_off.tail);
  cq_mask_ = *completions_.at<unsigned>(params.cq_off.ring_mask);
  cqes_ = completions_.at<io_uring_cqe>(params.cq_off.cqes);
  sqes_ = submission_entries_.at<io_uring_sqe>(0);
  return true;
}

void GatherRing::send(std::span<const int> sockets, std::span<const iovec> pieces,
                      std::span<std::int32_t> results) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  if (sockets.size() == 1) {  // nothing to gain
    const ssize_t sent = ::sendmsg(sockets[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    results[0] = static_cast<std::int32_t>(sent >= 0 ? sent : -errno);
    return;
  }
  std::size_t size = 1;
  for (const iovec& piece : pieces) size += piece.iov_len;
  const std::size_t at_once = std::clamp<std::size_t>(kCallBytes / size, kLeastSockets, entries_);
  while (!sockets.empty()) {
    const std::size_t count = std::min(sockets.size(), at_once);
    send_some(sockets.first(count), &message, results.first(count));
    sockets = sockets.subspan(count);
    results = results.subspan(count);
  }
}

void GatherRing::send_some(std::span<const int> sockets, const void* message,
                           std::span<std::int32_t> results) {
  unsigned tail = *sq_tail_;
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    const unsigned index = tail++ & sq_mask_;
    io_uring_sqe& entry = sqes_[index];
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = IORING_OP_SENDMSG;
    entry.fd = sockets[i];
    entry.addr = reinterpret_cast<std::uintptr_t>(message);
    entry.len = 1;
    entry.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;  // so that each is done with when the call returns
    entry.user_data = i;
    sq_array_[index] = index;
  }
  std::atomic_ref(*sq_tail_).store(tail, std::memory_order_release);
  auto to_submit = static_cast<unsigned>(sockets.size());
  for (std::size_t open = sockets.size(); open > 0;) {
    // Waiting is only for a kernel that has put one off.
    const unsigned flags = to_submit == 0 ? IORING_ENTER_GETEVENTS : 0U;
    const long entered =
        ::syscall(SYS_io_uring_enter, fd_, to_submit, to_submit == 0 ? 1U : 0U, flags, nullptr, 0);
    if (entered > 0) to_submit -= static_cast<unsigned>(entered);
    if (entered < 0 && errno != EINTR && to_submit > 0) {
      // The kernel has no means for it at present: take back what it has not looked at, as if the sockets
      // were full.
      std::atomic_ref(*sq_tail_).store(tail - to_submit, std::memory_order_release);
      std::ranges::fill(results.last(to_submit), -EAGAIN);
      open -= std::exchange(to_submit, 0);
    }
    open -= reap(results);
  }
}

std::size_t GatherRing::reap(std::span<std::int32_t> results) {
  unsigned head = *cq_head_;
  const unsigned end = std::atomic_ref(*cq_tail_).load(std::memory_order_acquire);
  const std::size_t count = end - head;
  for (; head != end; ++head) {
    const io_uring_cqe& completion = cqes_[head & cq_mask_];
    results[completion.user_data] = completion.res;
  }
  std::atomic_ref(*cq_head_).store(head, std::memory_order_release);
  return count;
}

}  // namespace simulcast::net
