#include "daemon/logging.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

extern "C" {
#include <libavutil/log.h>
}

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace simulcast::daemon {

namespace {

// A peer may put anything into the words it sends: a line stays one line, and a terminal is told nothing.
std::string printable(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    if (c == '\n') {
      clean += "; ";
    } else {
      clean += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
  }
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

}  // namespace

void set_up_logging(const config::Log& log) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<TextMessage>('*').add_flag<JsonMessage>('&');
  formatter->set_pattern(log.format == config::LogFormat::json
                             ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%&})"
                             : "%Y-%m-%dT%H:%M:%S.%eZ %l %*");
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_formatter(std::move(formatter));
  auto logger = std::make_shared<spdlog::logger>("simulcastd", std::move(sink));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  set_log_level(log.level);
  // What libavformat thinks of a publisher's media would be lines of its own that a stranger can cause at
  // will.
  av_log_set_level(AV_LOG_QUIET);
}

void set_log_level(config::LogLevel level) {
  spdlog::set_level(level_of(level));
}

}  // namespace simulcast::daemon
