#include "protocol/mpegts/fiber.hpp"

#include <boost/context/fiber.hpp>
#include <boost/context/preallocated.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <boost/context/stack_context.hpp>
#include <cassert>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define SIMULCAST_FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIMULCAST_FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define SIMULCAST_FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SIMULCAST_FIBER_TSAN 1
#endif
#endif

#ifdef SIMULCAST_FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SIMULCAST_FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace simulcast::mpegts {

namespace context = boost::context;

namespace {

// AddressSanitizer remembers the frames of what lay there before: the first ones of a fiber never return.
void forget_frames([[maybe_unused]] const context::stack_context& stack) {
#ifdef SIMULCAST_FIBER_ASAN
  __asan_unpoison_memory_region(static_cast<std::byte*>(stack.sp) - stack.size, stack.size);
#endif
}

// The two sides of each switch, as AddressSanitizer and ThreadSanitizer want to hear of them; nothing without
// them. `depart` is the last call on the old stack, `arrive` the first on the new one.
class Switches {
 public:
#ifdef SIMULCAST_FIBER_TSAN
  Switches() : fiber_(__tsan_create_fiber(0)) {}
  ~Switches() {
    __tsan_destroy_fiber(fiber_);
  }
#else
  Switches() = default;
#endif
  Switches(const Switches&) = delete;
  Switches& operator=(const Switches&) = delete;

  void depart_to_fiber([[maybe_unused]] const context::stack_context& stack) {
#ifdef SIMULCAST_FIBER_ASAN
    __sanitizer_start_switch_fiber(&caller_fake_stack_, static_cast<std::byte*>(stack.sp) - stack.size,
                                   stack.size);
#endif
#ifdef SIMULCAST_FIBER_TSAN
    caller_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber_, 0);
#endif
  }
  void arrive_at_caller() {
#ifdef SIMULCAST_FIBER_ASAN
    __sanitizer_finish_switch_fiber(caller_fake_stack_, nullptr, nullptr);
#endif
  }
  void arrive_at_fiber() {
#ifdef SIMULCAST_FIBER_ASAN
    __sanitizer_finish_switch_fiber(fiber_fake_stack_, &caller_stack_, &caller_stack_size_);
#endif
  }
  void depart_to_caller([[maybe_unused]] bool for_good) {
#ifdef SIMULCAST_FIBER_ASAN
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fiber_fake_stack_, caller_stack_,
                                   caller_stack_size_);
#endif
#ifdef SIMULCAST_FIBER_TSAN
    __tsan_switch_to_fiber(caller_, 0);
#endif
  }

 private:
#ifdef SIMULCAST_FIBER_ASAN
  void* caller_fake_stack_ = nullptr;
  void* fiber_fake_stack_ = nullptr;
  const void* caller_stack_ = nullptr;
  std::size_t caller_stack_size_ = 0;
#endif
#ifdef SIMULCAST_FIBER_TSAN
  void* fiber_ = nullptr;
  void* caller_ = nullptr;
#endif
};

}  // namespace

struct Fiber::Impl {
  std::function<void()> body;
  context::stack_context stack;
  Switches switches;
  context::fiber inside;  // while the owner runs: the body, suspended
  context::fiber caller;  // while the body runs: its owner
};

Fiber::Fiber(std::size_t stack_size, std::function<void()> body) : impl_(std::make_unique<Impl>()) {
  impl_->body = std::move(body);
  context::protected_fixedsize_stack allocator(stack_size);
  impl_->stack = allocator.allocate();
  forget_frames(impl_->stack);
  Impl* impl = impl_.get();
  impl_->inside = context::fiber(std::allocator_arg,
                                 context::preallocated(impl_->stack.sp, impl_->stack.size, impl_->stack),
                                 allocator, [impl](context::fiber&& caller) {
                                   impl->switches.arrive_at_fiber();
                                   impl->caller = std::move(caller);
                                   impl->body();
                                   impl->switches.depart_to_caller(true);
                                   return std::move(impl->caller);
                                 });
}

Fiber::~Fiber() {
  assert(ended());
}

bool Fiber::ended() const {
  return !impl_->inside;
}

void Fiber::resume() {
  if (ended()) return;
  impl_->switches.depart_to_fiber(impl_->stack);
  impl_->inside = std::move(impl_->inside).resume();
  impl_->switches.arrive_at_caller();
}

void Fiber::suspend() {
  impl_->switches.depart_to_caller(false);
  impl_->caller = std::move(impl_->caller).resume();
  impl_->switches.arrive_at_fiber();
}

}  // namespace simulcast::mpegts
