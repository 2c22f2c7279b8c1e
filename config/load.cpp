#include "config/load.hpp"

#include <functional>
#include <string_view>

#include "config/read_text.hpp"
#include "config/section.hpp"
#include "config/values.hpp"
#include "config/yaml.hpp"

namespace simulcast::config {
namespace {

using namespace std::chrono_literals;

// Each range is what still makes sense, and keeps a slip of the finger from becoming a surprise.
const auto kHold = [](const std::string& text) { return parse_duration(text, 0ms, 24h); };
const auto kLatency = [](const std::string& text) {
  return parse_duration(text, 0ms, 60s);
};  // 16 bits of ms in SRT
const auto kAudioWait = [](const std::string& text) { return parse_duration(text, 0ms, 500ms); };
const auto kQueueSeconds = [](const std::string& text) {
  return std::chrono::seconds(parse_number(text, 1, 600));
};
const auto kQueueBytes = [](const std::string& text) {
  return parse_size(text, std::uint64_t{64} << 10, std::uint64_t{4} << 30);
};
const auto kOutputs = [](const std::string& text) {
  return static_cast<unsigned>(parse_number(text, 1, 1000));
};

const auto kUpToAMillion = [](const std::string& text) {
  return static_cast<unsigned>(parse_number(text, 1, 1'000'000));
};

const Words<LogLevel> kLogLevels = {{"trace", LogLevel::trace},
                                    {"debug", LogLevel::debug},
                                    {"info", LogLevel::info},
                                    {"warn", LogLevel::warn},
                                    {"error", LogLevel::error}};
const Words<LogFormat> kLogFormats = {{"text", LogFormat::text}, {"json", LogFormat::json}};

unsigned parse_threads(const std::string& text) {
  if (text == "auto") return 0;
  constexpr unsigned kMost = 256;
  try {
    return static_cast<unsigned>(parse_number(text, 1, kMost));
  } catch (const BadValue& bad) {
    throw BadValue(std::string(bad.what()) + ", or auto for one per core");
  }
}

class Loader {
 public:
  // Relative paths in the file count from `directory`.
  explicit Loader(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Config config() && { return std::move(config_); }

  void read(Section& top) {
    top.read("state_dir", config_.state_dir, path());
    top.read("public_host", config_.public_host, parse_public_host);
    top.read("account", config_.account, parse_account);
    top.section("control", [this](Section& section) { read_control(section); });
    if (const auto ingest = top.find("ingest")) {
      // Everything below it commented out: whether that means no listener or the usual one, only its author
      // knows.
      if (ingest->is_null())
        ingest->problem(
            "names no listener; allowed: rtmp, rtmps and srt below it, {} for none, or leave it out for "
            "rtmp on 0.0.0.0:1935 and srt on 0.0.0.0:8890");
      else
        ingest->section([this](Section& section) { read_ingest(section); });
    }
    top.section("stream", [this](Section& stream) {
      stream.read("hold", config_.stream.hold, kHold);
      stream.read("hold_on_goodbye", config_.stream.hold_on_goodbye, parse_bool);
      stream.read("slate", config_.stream.slate, path());
    });
    top.section("egress", [this](Section& section) { read_egress(section); });
    top.section("limits", [this](Section& limits) {
      limits.read("outputs_per_input", config_.outputs_per_input, kOutputs);
      limits.read("requests_per_second", config_.requests_per_second, kUpToAMillion);
      limits.read("strangers_per_address", config_.strangers_per_address, kUpToAMillion);
      limits.read("strangers", config_.strangers, kUpToAMillion);
    });
    top.section("log", [this](Section& log) {
      log.read("level", config_.log.level,
               [](const std::string& text) { return parse_word(text, kLogLevels); });
      log.read("format", config_.log.format,
               [](const std::string& text) { return parse_word(text, kLogFormats); });
    });
    top.read("threads", config_.threads, parse_threads);
  }

 private:
  void read_control(Section& section) {
    Control& control = config_.control;
    if (const auto listen = section.find("listen")) {
      if (listen->is_off())
        control.listen.reset();
      else
        listen->read(control.listen, parse_listen);
    }
    if (const auto tokens = section.find("tokens")) read_tokens(tokens->secret());
    section.read("tokens_file", control.tokens_file, path());
    if (const auto hosts = section.find("hosts")) {
      for (const Place& item : hosts->items()) item.read(control.hosts.emplace_back(), parse_public_host);
    }
    if (const auto metrics = section.find("metrics")) {
      if (!metrics->is_off()) metrics->read(control.metrics, parse_listen);
    }
    section.section("tls", [&](Section& tls) {
      Certificate certificate;
      read_certificate(tls, certificate);
      control.tls = std::move(certificate);
    });
  }

  void read_tokens(const Place& list) {
    for (const Place& item : list.items()) {
      Token token;
      if (item.is_map()) {
        item.section([&](Section& section) {
          section.require("token", token.secret, parse_token);
          section.read("account", token.account, parse_account);
          section.read("read_only", token.read_only, parse_bool);
        });
      } else {
        item.read(token.secret, parse_token);
      }
      config_.control.tokens.push_back(std::move(token));
    }
  }

  // Only what is listed is opened; without the section the defaults of Ingest stand.
  void read_ingest(Section& section) {
    Ingest& ingest = config_.ingest;
    ingest = Ingest{std::nullopt, std::nullopt, std::nullopt};
    read_listener(section, "rtmp", [&](Section& rtmp) {
      ingest.rtmp = RtmpIngest{{"0.0.0.0", 1935}};
      rtmp.read("listen", ingest.rtmp->listen, parse_listen);
    });
    read_listener(section, "rtmps", [&](Section& rtmps) {
      ingest.rtmps = RtmpsIngest{{"0.0.0.0", 1936}, {}};
      rtmps.read("listen", ingest.rtmps->listen, parse_listen);
      read_certificate(rtmps, ingest.rtmps->certificate);
    });
    read_listener(section, "srt", [&](Section& srt) {
      ingest.srt = SrtIngest{{"0.0.0.0", 8890}};
      srt.read("listen", ingest.srt->listen, parse_listen);
      srt.read("latency", ingest.srt->latency, kLatency);
    });
  }

  template <class Read>
  void read_listener(Section& ingest, std::string_view key, Read read) {
    const auto listener = ingest.find(key);
    if (!listener || listener->is_off()) return;
    if (listener->is_null())
      listener->problem("has no value; allowed: off, or a map such as { listen: 0.0.0.0:1935 }");
    else
      listener->section(read);
  }

  void read_egress(Section& section) {
    Egress& egress = config_.egress;
    section.section("queue", [&](Section& queue) {
      queue.read("seconds", egress.queue_duration, kQueueSeconds);
      queue.read("bytes", egress.queue_bytes, kQueueBytes);
    });
    section.read("audio_wait", egress.audio_wait, kAudioWait);
    section.section("tls", [&](Section& tls) { tls.read("ca_file", egress.ca_file, path()); });
    section.read("platforms", egress.platforms, path());
    if (const auto deny = section.find("deny")) {
      egress.deny.clear();
      for (const Place& item : deny->items()) item.read(egress.deny.emplace_back(), parse_network);
    }
  }

  void read_certificate(Section& section, Certificate& certificate) {
    section.require("certificate", certificate.certificate, path());
    section.require("key", certificate.key, path());
  }

  // operator/ leaves absolute paths as they are.
  std::function<std::filesystem::path(const std::string&)> path() const {
    return [this](const std::string& text) { return directory_ / text; };
  }

  std::filesystem::path directory_;
  Config config_;
};

}  // namespace

Config load_text(const std::string& yaml, const std::string& name) {
  Problems problems;
  Loader loader(std::filesystem::path(name).parent_path());
  try {
    const yaml::Node root = yaml::parse(yaml);
    Place(root, 1, "", problems).section([&](Section& top) { loader.read(top); });
  } catch (const yaml::ParseError& error) {
    problems.add(error.line(), "", error.what());
  }
  if (!problems.empty()) throw ConfigError(problems.text(name));
  return std::move(loader).config();
}

Config load_file(const std::filesystem::path& file) {
  return load_text(read_text(file), file.string());
}

}  // namespace simulcast::config
