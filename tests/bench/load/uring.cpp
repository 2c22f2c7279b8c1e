#include "tests/bench/load/uring.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string>

#include "tests/bench/load/arguments.hpp"

namespace simulcast::load {

namespace {

// Not in the headers of older distributions; the numbers are the kernel's and never change.
constexpr unsigned char kSendmsgZc = 48;     // IORING_OP_SENDMSG_ZC
constexpr unsigned kMore = 1U << 1;          // IORING_CQE_F_MORE: a notification follows
constexpr unsigned kNotification = 1U << 3;  // IORING_CQE_F_NOTIF: this is one

std::byte* map(int fd, std::size_t size, std::uint64_t what) {
  void* at =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(what));
  if (at == MAP_FAILED) fail_errno("mmap of the io_uring");
  return static_cast<std::byte*>(at);
}

template <class T>
T* part(std::byte* ring, unsigned offset) {
  return reinterpret_cast<T*>(ring + offset);
}

}  // namespace

Uring::Uring(std::size_t outputs, bool zero_copy) : zero_copy_(zero_copy) {
  io_uring_params params{};
  const auto entries = static_cast<unsigned>(std::bit_ceil(outputs));
  fd_ = static_cast<int>(::syscall(SYS_io_uring_setup, entries, &params));
  if (fd_ < 0) fail_errno("io_uring_setup");
  std::byte* sq = map(fd_, params.sq_off.array + params.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
  std::byte* cq = map(fd_, params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING);
  sq_tail_ = part<unsigned>(sq, params.sq_off.tail);
  sq_mask_ = part<unsigned>(sq, params.sq_off.ring_mask);
  sq_array_ = part<unsigned>(sq, params.sq_off.array);
  cq_head_ = part<unsigned>(cq, params.cq_off.head);
  cq_tail_ = part<unsigned>(cq, params.cq_off.tail);
  cq_mask_ = part<unsigned>(cq, params.cq_off.ring_mask);
  cqes_ = part<io_uring_cqe>(cq, params.cq_off.cqes);
  sqes_ = part<io_uring_sqe>(map(fd_, params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES), 0);
}

void Uring::send(const std::vector<Connection>& outputs, const msghdr& message, std::size_t size) {
  unsigned tail = *sq_tail_;
  for (const auto& output : outputs) {
    const unsigned index = tail++ & *sq_mask_;
    io_uring_sqe& entry = sqes_[index];
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = zero_copy_ ? kSendmsgZc : static_cast<unsigned char>(IORING_OP_SENDMSG);
    entry.fd = output.fd();
    entry.addr = reinterpret_cast<std::uintptr_t>(&message);
    entry.len = 1;
    entry.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    sq_array_[index] = index;
  }
  std::atomic_ref(*sq_tail_).store(tail, std::memory_order_release);
  auto submit = static_cast<unsigned>(outputs.size());
  for (std::size_t open = outputs.size(); open > 0;) {
    const long entered = ::syscall(SYS_io_uring_enter, fd_, submit, static_cast<unsigned>(open),
                                   IORING_ENTER_GETEVENTS, nullptr, 0);
    if (entered < 0 && errno == EINTR) continue;
    if (entered < 0) fail_errno("io_uring_enter");
    submit -= static_cast<unsigned>(entered);
    unsigned head = *cq_head_;
    const unsigned end = std::atomic_ref(*cq_tail_).load(std::memory_order_acquire);
    for (; head != end; ++head) {
      const io_uring_cqe& completion = cqes_[head & *cq_mask_];
      if ((completion.flags & kNotification) == 0 && completion.res != static_cast<int>(size)) {
        fail("a write was short: " + std::to_string(completion.res) + " of " + std::to_string(size) +
             " bytes");
      }
      if ((completion.flags & kMore) == 0) --open;
    }
    std::atomic_ref(*cq_head_).store(head, std::memory_order_release);
  }
}

}  // namespace simulcast::load
