#include "daemon/logging.hpp"

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

extern "C" {
#include <libavutil/log.h>
}

#include <unistd.h>

#include <atomic>
#include <boost/algorithm/string/replace.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <csignal>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "config/visible_text.hpp"
#include "daemon/log_limit.hpp"
#include "media/cut_text.hpp"
#include "net/start_thread.hpp"

namespace simulcast::daemon {

namespace {

// Lines that may wait for standard error to take them.
constexpr std::size_t kQueue = 8192;
// Bytes of one line; of what is longer the beginning is kept.
constexpr std::size_t kLongestLine = 4096;

// A peer may put anything into the words it sends: a line stays one line, and a terminal is told nothing.
std::string printable(std::string_view text) {
  std::string clean = config::visible_lines(text);
  boost::algorithm::replace_all(clean, "\n", "; ");
  return clean;
}

class TextMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string text = printable({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<TextMessage>(); }
};

class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string text = boost::json::serialize(
        boost::json::string(printable({message.payload.data(), message.payload.size()})));
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

spdlog::level::level_enum level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::trace:
      return spdlog::level::trace;
    case config::LogLevel::debug:
      return spdlog::level::debug;
    case config::LogLevel::info:
      return spdlog::level::info;
    case config::LogLevel::warn:
      return spdlog::level::warn;
    case config::LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Passes on what LogLimit admits. What somebody asked to see in detail (debug, trace) is not limited.
class LimitedSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LimitedSink(std::shared_ptr<spdlog::logger> to) : to_(std::move(to)) {}

  const std::shared_ptr<spdlog::logger>& writer() const { return to_; }

  void tell() {
    std::vector<LogLimit::Told> told;
    {
      const std::lock_guard lock(mutex_);
      told = limit_.take_told(LogLimit::Clock::now());
    }
    for (const auto& [level, line] : told) to_->log(static_cast<spdlog::level::level_enum>(level), line);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view line =
        media::cut_text({message.payload.data(), message.payload.size()}, kLongestLine);
    if (message.level >= spdlog::level::info && !limit_.admit(line, message.level, LogLimit::Clock::now()))
      return;
    to_->log(message.time, message.source, message.level, spdlog::string_view_t(line.data(), line.size()));
  }
  void flush_() override {}

  const std::shared_ptr<spdlog::logger> to_;
  LogLimit limit_;
};

std::shared_ptr<LimitedSink> limited_sink;
std::size_t told_lost = 0;
std::atomic<int> code_at_the_end{0};

}  // namespace

void set_up_logging(const config::Log& log) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<TextMessage>('*').add_flag<JsonMessage>('&');
  formatter->set_pattern(log.format == config::LogFormat::json
                             ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%&})"
                             : "%Y-%m-%dT%H:%M:%S.%eZ %l %*");
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_formatter(std::move(formatter));
  try {
    spdlog::init_thread_pool(kQueue, 1);
  } catch (const std::system_error& error) {
    throw net::TooFewThreads(error.code());
  }
  auto writer = std::make_shared<spdlog::async_logger>("writer", std::move(sink), spdlog::thread_pool(),
                                                       spdlog::async_overflow_policy::overrun_oldest);
  writer->set_level(spdlog::level::trace);
  limited_sink = std::make_shared<LimitedSink>(std::move(writer));
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("simulcastd", limited_sink));
  set_log_level(log.level);
  // What libavformat thinks of a publisher's media would be lines of its own that a stranger can cause at
  // will.
  av_log_set_level(AV_LOG_QUIET);
}

void set_log_level(config::LogLevel level) {
  spdlog::set_level(level_of(level));
}

void tell_log_losses() {
  if (!limited_sink) return;
  limited_sink->tell();
  const std::size_t lost = spdlog::thread_pool()->overrun_counter();
  if (const std::size_t fresh = lost - std::exchange(told_lost, lost); fresh > 0) {
    spdlog::warn("log lines were lost, standard error is not read fast enough lines={}", fresh);
  }
}

void shut_down_logging(int exit_code) {
  tell_log_losses();
  code_at_the_end = exit_code;
  std::signal(SIGALRM, [](int) { ::_exit(code_at_the_end); });
  ::alarm(1);
  const auto writer = limited_sink->writer();  // goes when the thread has gone that uses it
  limited_sink.reset();
  spdlog::shutdown();  // waits for the thread that writes
  ::alarm(0);
}

}  // namespace simulcast::daemon
