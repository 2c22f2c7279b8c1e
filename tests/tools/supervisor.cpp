// Runs a command as systemd runs a service of Type=notify with Restart=always: starts it again whenever it
// ends, and kills it when its watchdog is not answered. Says so on standard output, a line an event.
//
//   supervisor WATCHDOG_MS RESTART_MS COMMAND [ARGUMENT...]        0 for WATCHDOG_MS: none
//
// SIGTERM ends the command by SIGTERM, and then this.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

int open_notify_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror("bind");
    std::exit(1);
  }
  return fd;
}

pid_t start(char** command) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it does not outlive whoever looks after it
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execv(command[0], command);
    std::perror(command[0]);
    ::_exit(127);
  }
  std::printf("supervisor started pid=%d\n", static_cast<int>(pid));
  std::fflush(stdout);
  return pid;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const milliseconds watchdog(std::atol(argv[1]));
  const milliseconds restart_delay(std::atol(argv[2]));
  const std::string path = "/tmp/supervisor-" + std::to_string(::getpid()) + ".sock";
  const int notify = open_notify_socket(path);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  if (watchdog.count() > 0) ::setenv("WATCHDOG_USEC", std::to_string(watchdog.count() * 1000).c_str(), 1);

  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) ::sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int signal_fd = ::signalfd(-1, &signals, SFD_CLOEXEC);

  bool ending = false;
  bool ready = false;
  pid_t pid = start(argv + 3);
  auto answered = Clock::now();
  for (;;) {
    pollfd fds[] = {{notify, POLLIN, 0}, {signal_fd, POLLIN, 0}};
    ::poll(fds, 2, 20);
    if ((fds[0].revents & POLLIN) != 0) {
      char text[4096];
      const ssize_t size = ::recv(notify, text, sizeof text, 0);
      const std::string message(text, size > 0 ? static_cast<std::size_t>(size) : 0);
      if (message.find("READY=1") != std::string::npos) ready = true;
      answered = Clock::now();
    }
    if ((fds[1].revents & POLLIN) != 0) {
      signalfd_siginfo info{};
      if (::read(signal_fd, &info, sizeof info) != sizeof info) continue;
      if (info.ssi_signo != SIGCHLD) {
        ending = true;
        ::kill(pid, SIGTERM);
      }
    }
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) {
      std::printf("supervisor ended pid=%d\n", static_cast<int>(pid));
      std::fflush(stdout);
      if (ending) break;
      ::usleep(static_cast<useconds_t>(restart_delay.count() * 1000));
      ready = false;
      pid = start(argv + 3);
      answered = Clock::now();
    }
    if (ready && watchdog.count() > 0 && Clock::now() - answered > watchdog) {
      std::printf("supervisor watchdog pid=%d\n", static_cast<int>(pid));
      std::fflush(stdout);
      ready = false;
      ::kill(pid, SIGKILL);  // systemd tries SIGABRT first, which one that is stopped does not see
    }
  }
  ::unlink(path.c_str());
}
