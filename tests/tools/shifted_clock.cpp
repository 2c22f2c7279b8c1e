// A wall clock that a test can put forward and back: preloaded into a process (LD_PRELOAD), it moves the time
// of day of that process and of nobody else.
//
// SHIFTED_CLOCK names a file of 8 bytes, a signed number of seconds in the machine's byte order, that the
// test writes while the process runs. Deadlines that a thread waits for are those of the shifted clock, and
// are looked at again while it waits, as the kernel does when the clock is set.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLook = kSecond / 50;  // how often a waiting thread looks at the clock

const volatile std::int64_t* seconds = nullptr;

__attribute__((constructor)) void open_shift() {
  const char* file = std::getenv("SHIFTED_CLOCK");
  const int descriptor = file != nullptr ? ::open(file, O_RDONLY | O_CLOEXEC) : -1;
  void* shared =
      descriptor < 0 ? MAP_FAILED : ::mmap(nullptr, sizeof *seconds, PROT_READ, MAP_SHARED, descriptor, 0);
  if (shared == MAP_FAILED) {
    std::fprintf(stderr, "shifted_clock: SHIFTED_CLOCK must name a file of 8 bytes\n");
    std::_Exit(1);
  }
  ::close(descriptor);
  seconds = static_cast<const std::int64_t*>(shared);
}

std::int64_t shift() {
  return seconds != nullptr ? *seconds : 0;
}

bool is_wall(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

int kernel_time(clockid_t clock, timespec* now) {
  return static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
}

// Waits by `wait(until when)` of the machine's own clock, for a short time each.
template <class Wait>
int wait_until(const timespec& deadline, Wait wait) {
  for (;;) {
    timespec now{};
    kernel_time(CLOCK_REALTIME, &now);
    const std::int64_t left =
        (deadline.tv_sec - shift() - now.tv_sec) * kSecond + deadline.tv_nsec - now.tv_nsec;
    if (left <= 0) return ETIMEDOUT;
    const std::int64_t until = now.tv_nsec + std::min(left, kLook);
    const timespec soon{now.tv_sec + until / kSecond, until % kSecond};
    const int result = wait(&soon);
    if (result != ETIMEDOUT) return result;
  }
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

// glibc keeps the clock of a condition variable there (pthread_condattr_setclock).
bool is_steady(const pthread_cond_t* condition) {
  constexpr unsigned kMonotonic = 2;
  return (condition->__data.__wrefs & kMonotonic) != 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) {
  const int result = kernel_time(clock, now);
  if (result == 0 && is_wall(clock)) now->tv_sec += shift();
  return result;
}

int gettimeofday(timeval* now, void*) {
  timespec exact{};
  clock_gettime(CLOCK_REALTIME, &exact);
  *now = {exact.tv_sec, exact.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* result) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* deadline) {
  static const auto real =
      next<int (*)(pthread_cond_t*, pthread_mutex_t*, const timespec*)>("pthread_cond_timedwait");
  if (is_steady(condition)) return real(condition, mutex, deadline);
  return wait_until(*deadline, [&](const timespec* soon) { return real(condition, mutex, soon); });
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* deadline) {
  static const auto real =
      next<int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)>("pthread_cond_clockwait");
  if (!is_wall(clock)) return real(condition, mutex, clock, deadline);
  return wait_until(*deadline, [&](const timespec* soon) { return real(condition, mutex, clock, soon); });
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* deadline) {
  static const auto real = next<int (*)(pthread_mutex_t*, const timespec*)>("pthread_mutex_timedlock");
  return wait_until(*deadline, [&](const timespec* soon) { return real(mutex, soon); });
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* wanted, timespec* left) {
  static const auto real = next<int (*)(clockid_t, int, const timespec*, timespec*)>("clock_nanosleep");
  if (!is_wall(clock) || (flags & TIMER_ABSTIME) == 0) return real(clock, flags, wanted, left);
  const int result = wait_until(*wanted, [&](const timespec* soon) {
    const int slept = real(clock, flags, soon, nullptr);
    return slept == 0 ? ETIMEDOUT : slept;
  });
  return result == ETIMEDOUT ? 0 : result;
}

}  // extern "C"
