// One message to all outputs as one batch through io_uring, in place of a system call for each: an experiment
// beside the bare loop.
#pragma once

#include <linux/io_uring.h>
#include <sys/socket.h>

#include <cstddef>
#include <vector>

#include "tests/bench/load/connection.hpp"

namespace simulcast::load {

class Uring {
 public:
  // `zero_copy`: IORING_OP_SENDMSG_ZC, where the kernel has it.
  Uring(std::size_t outputs, bool zero_copy);

  // Returns when the kernel needs `message` and what it points to no more. Exits when a write was short.
  void send(const std::vector<Connection>& outputs, const msghdr& message, std::size_t size);

 private:
  int fd_ = -1;
  const bool zero_copy_;
  unsigned *sq_tail_, *sq_mask_, *sq_array_, *cq_head_, *cq_tail_, *cq_mask_;
  io_uring_sqe* sqes_;
  io_uring_cqe* cqes_;
};

}  // namespace simulcast::load
