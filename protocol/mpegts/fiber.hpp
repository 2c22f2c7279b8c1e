// A function on a stack of its own that runs in turns with its caller: what makes a library that asks for
// input usable where input is handed over.
//
// resume() runs the body until it suspends or ends; both happen on the caller's thread, which may differ from
// turn to turn. The body must not throw, and must have ended before the fiber is destroyed: frames of foreign
// libraries stand on its stack, which cannot be unwound. The stack ends in a guard page. Sanitizers are told
// of each switch.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace simulcast::mpegts {

class Fiber {
 public:
  // Throws std::bad_alloc when there is no memory for the stack.
  Fiber(std::size_t stack_size, std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Called by the owner; does nothing once the body has ended.
  void resume();
  bool ended() const;
  // Called by the body.
  void suspend();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace simulcast::mpegts
