// Whole configurations: what they set, and that each mistake is named with its line, its key and what is
// allowed.
#include "config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace simulcast::config {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Config load(const std::string& yaml) {
  return load_text(yaml, "f.yaml");
}

// What is said about a configuration that does not load; empty when it does.
std::string problem(const std::string& yaml) {
  try {
    load(yaml);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Load, NothingIsTheDefaults) {
  for (const char* yaml : {"", "\n", "# only a comment\n", "---\n", "{}", "~"}) {
    const Config config = load(yaml);
    EXPECT_EQ(config.state_dir, "/var/lib/simulcastd");
    ASSERT_TRUE(config.control.listen);
    EXPECT_EQ(config.control.listen->port, 8080);
    ASSERT_TRUE(config.ingest.rtmp);
    EXPECT_EQ(config.ingest.rtmp->listen.port, 1935);
    EXPECT_FALSE(config.ingest.rtmps);
    ASSERT_TRUE(config.ingest.srt);
    EXPECT_EQ(config.ingest.srt->listen.port, 8890);
    EXPECT_EQ(config.egress.deny.size(), 2u);
  }
}

TEST(Load, SetsEverything) {
  const Config config = load(R"(
state_dir: /tmp/state
public_host: relay.example.org
account: 0123456789abcdef0123456789abcdef
control:
  listen: "[::1]:0"
  tokens: [one, {token: two, account: 00000000000000000000000000000000, read_only: true}]
  tokens_file: /etc/tokens
  tls: { certificate: /c.pem, key: /c.key }
ingest:
  rtmp: { listen: 127.0.0.1:2935 }
  rtmps: { listen: 127.0.0.1:2936, certificate: /i.pem, key: /i.key }
  srt: { listen: 127.0.0.1:9890, latency: 1s }
stream: { hold: 0s }
egress:
  queue: { seconds: 3, bytes: 1000000 }
  audio_wait: 0ms
  tls: { ca_file: /ca.pem }
  deny: [10.0.0.0/8]
limits: { outputs_per_input: 7, requests_per_second: 8 }
log: { level: debug, format: json }
threads: 4
)");
  EXPECT_EQ(config.state_dir, "/tmp/state");
  EXPECT_EQ(config.public_host, "relay.example.org");
  EXPECT_EQ(config.account, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(config.control.listen->host, "::1");
  EXPECT_EQ(config.control.listen->port, 0);
  ASSERT_EQ(config.control.tokens.size(), 2u);
  EXPECT_EQ(config.control.tokens[0].secret, "one");
  EXPECT_EQ(config.control.tokens[0].account, "");
  EXPECT_FALSE(config.control.tokens[0].read_only);
  EXPECT_EQ(config.control.tokens[1].secret, "two");
  EXPECT_EQ(config.control.tokens[1].account, std::string(32, '0'));
  EXPECT_TRUE(config.control.tokens[1].read_only);
  EXPECT_EQ(config.control.tokens_file, "/etc/tokens");
  EXPECT_EQ(config.control.tls->certificate, "/c.pem");
  EXPECT_EQ(config.control.tls->key, "/c.key");
  EXPECT_EQ(config.ingest.rtmp->listen.port, 2935);
  EXPECT_EQ(config.ingest.rtmps->listen.port, 2936);
  EXPECT_EQ(config.ingest.rtmps->certificate.certificate, "/i.pem");
  EXPECT_EQ(config.ingest.rtmps->certificate.key, "/i.key");
  EXPECT_EQ(config.ingest.srt->listen.port, 9890);
  EXPECT_EQ(config.ingest.srt->latency, 1s);
  EXPECT_EQ(config.stream.hold, 0s);
  EXPECT_EQ(config.egress.queue_duration, 3s);
  EXPECT_EQ(config.egress.queue_bytes, 1'000'000u);
  EXPECT_EQ(config.egress.audio_wait, 0ms);
  EXPECT_EQ(config.egress.ca_file, "/ca.pem");
  ASSERT_EQ(config.egress.deny.size(), 1u);
  EXPECT_EQ(config.egress.deny[0].text, "10.0.0.0/8");
  EXPECT_EQ(config.outputs_per_input, 7u);
  EXPECT_EQ(config.requests_per_second, 8u);
  EXPECT_EQ(config.log.level, LogLevel::debug);
  EXPECT_EQ(config.log.format, LogFormat::json);
  EXPECT_EQ(config.threads, 4u);
}

TEST(Load, EmptySectionsAreTheirDefaults) {
  const Config config = load("control:\nstream:\negress: {queue: }\nlimits: {}\nlog: ~\n");
  EXPECT_TRUE(config.control.listen);
  EXPECT_EQ(config.stream.hold, 30s);
  EXPECT_EQ(config.egress.queue_bytes, 64u << 20);
  EXPECT_EQ(config.outputs_per_input, 50u);
  EXPECT_EQ(config.requests_per_second, 1000u);
  EXPECT_TRUE(load("egress: {deny: []}").egress.deny.empty());
}

TEST(Load, OpensTheListenersThatAreListed) {
  const Config rtmps = load("ingest: {rtmps: {certificate: /c, key: /k}}");
  EXPECT_FALSE(rtmps.ingest.rtmp);
  ASSERT_TRUE(rtmps.ingest.rtmps);
  EXPECT_EQ(rtmps.ingest.rtmps->listen.port, 1936);
  const Config rtmp = load("ingest: {rtmp: {}, srt: off}");
  ASSERT_TRUE(rtmp.ingest.rtmp);
  EXPECT_EQ(rtmp.ingest.rtmp->listen.port, 1935);
  EXPECT_FALSE(rtmp.ingest.srt);
  EXPECT_EQ(load("ingest: {srt: {}}").ingest.srt->listen.port, 8890);
  EXPECT_FALSE(load("ingest: {}").ingest.rtmp);
  EXPECT_FALSE(load("ingest: {rtmp: off}").ingest.rtmp);
  EXPECT_FALSE(load("control: {listen: off}").control.listen);
}

TEST(Load, AnEmptyListenerIsAQuestion) {
  EXPECT_THAT(problem("ingest:\n"), StartsWith("f.yaml:1: ingest: names no listener; allowed: "));
  EXPECT_THAT(problem("ingest:\n  rtmp:\n"),
              StartsWith("f.yaml:2: ingest.rtmp: has no value; allowed: off, or"));
  EXPECT_THAT(problem("ingest: {rtmp: 0.0.0.0:1935}"),
              HasSubstr("ingest.rtmp: has the wrong type; allowed: a map"));
  EXPECT_THAT(problem("control: {listen: }"), HasSubstr("control.listen: has no value"));
}

TEST(Load, RelativePathsCountFromTheFile) {
  const std::string yaml =
      "state_dir: state\ncontrol: {tokens_file: /etc/tokens}\negress: {tls: {ca_file: ca.pem}}";
  const Config config = load_text(yaml, "/etc/simulcastd/simulcastd.yaml");
  EXPECT_EQ(config.state_dir, "/etc/simulcastd/state");
  EXPECT_EQ(config.control.tokens_file, "/etc/tokens");
  EXPECT_EQ(config.egress.ca_file, "/etc/simulcastd/ca.pem");
  EXPECT_EQ(load(yaml).state_dir, "state");
}

TEST(Load, NamesLineKeyAndWhatIsAllowed) {
  EXPECT_EQ(
      problem("threads: auto\negress:\n  queue:\n    seconds: 10s\n"),
      "f.yaml:4: egress.queue.seconds: \"10s\" is not a plain number; allowed: a whole number from 1 to 600, "
      "without a unit");
  EXPECT_EQ(problem("log: {level: loud}"),
            "f.yaml:1: log.level: \"loud\" is not known; allowed: trace, debug, info, warn or error");
  EXPECT_THAT(problem("stream: {hold: 30}"),
              StartsWith("f.yaml:1: stream.hold: \"30\" lacks a unit; allowed: "));
  EXPECT_THAT(problem("egress: {queue: {bytes: 64MB}}"),
              HasSubstr("egress.queue.bytes: \"64MB\" is not a size"));
  EXPECT_THAT(problem("egress: {audio_wait: 1s}"), HasSubstr("from 0s to 500ms"));
  EXPECT_THAT(problem("egress: {queue: {bytes: 1KiB}}"), HasSubstr("from 64KiB to 4GiB"));
  EXPECT_THAT(problem("ingest: {srt: {latency: 2m}}"), HasSubstr("from 0s to 1m"));
  EXPECT_THAT(problem("limits: {outputs_per_input: 0}"), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(problem("limits: {requests_per_second: 0}"), HasSubstr("from 1 to 1000000"));
  EXPECT_THAT(problem("threads: all"), EndsWith("from 1 to 256, without a unit, or auto for one per core"));
  EXPECT_THAT(problem("egress:\n  deny:\n    - 10.0.0.0/8\n    - 10.0.0.1/8\n"),
              StartsWith("f.yaml:4: egress.deny[1]: \"10.0.0.1/8\" has bits set"));
}

TEST(Load, KnowsItsKeys) {
  EXPECT_EQ(
      problem("stream: {}\nlimit: {}\n"),
      "f.yaml:2: limit: unknown key; did you mean limits? allowed: state_dir, public_host, account, control, "
      "ingest, stream, egress, limits, log, threads");
  EXPECT_EQ(problem("log:\n  colour: red\n"), "f.yaml:2: log.colour: unknown key; allowed: level, format");
  EXPECT_THAT(problem("ingest: {rtmp: {lisen: 0.0.0.0:1}}"), HasSubstr("did you mean listen?"));
  EXPECT_EQ(problem("threads: 1\nlog: {}\nthreads: 2\n"),
            "f.yaml:3: threads: is given twice, first on line 1");
  EXPECT_THAT(problem("log:\n  level: info\n  level: info\n"),
              StartsWith("f.yaml:3: log.level: is given twice"));
}

TEST(Load, KnowsTheirTypes) {
  EXPECT_THAT(problem("control: yes"), HasSubstr("control: has the wrong type; allowed: a map"));
  EXPECT_THAT(problem("control:\n  - listen\n"), HasSubstr("control: has the wrong type; allowed: a map"));
  EXPECT_THAT(problem("threads: [1]"), HasSubstr("threads: has the wrong type; allowed: a single value"));
  EXPECT_THAT(problem("state_dir: {}"), HasSubstr("state_dir: has the wrong type; allowed: a single value"));
  EXPECT_THAT(problem("state_dir: ''"), HasSubstr("state_dir: has no value"));
  EXPECT_THAT(problem("egress: {deny: 10.0.0.0/8}"),
              HasSubstr("egress.deny: has the wrong type; allowed: a list"));
  EXPECT_THAT(problem("just text"), HasSubstr("f.yaml:1: has the wrong type; allowed: a map"));
  EXPECT_THAT(problem("- a\n"), HasSubstr("f.yaml:1: has the wrong type; allowed: a map"));
}

TEST(Load, WantsBothHalvesOfACertificate) {
  EXPECT_EQ(problem("control:\n  tls:\n    certificate: c.pem\n"), "f.yaml:2: control.tls: lacks key");
  EXPECT_EQ(problem("control: {tls: {key: k.pem}}"), "f.yaml:1: control.tls: lacks certificate");
  EXPECT_EQ(problem("ingest: {rtmps: {}}"),
            "f.yaml:1: ingest.rtmps: lacks certificate\nf.yaml:1: ingest.rtmps: lacks key");
}

TEST(Load, ShowsEveryProblemInTheOrderOfTheFile) {
  EXPECT_EQ(problem("threads: 0\nlog: {level: x}\naccount: y\n"),
            "f.yaml:1: threads: \"0\" is out of range; allowed: a whole number from 1 to 256, without a "
            "unit, or auto for "
            "one per core\n"
            "f.yaml:2: log.level: \"x\" is not known; allowed: trace, debug, info, warn or error\n"
            "f.yaml:3: account: \"y\" is not an account; allowed: 32 hex digits");
}

TEST(Load, NeverShowsAToken) {
  for (const char* yaml : {
           "control: {tokens: hushhush}",
           "control: {tokens: {hushhush: x}}",
           "control: {tokens: [hushhush two]}",
           "control: {tokens: ['hushhush ']}",
           "control: {tokens: [*hushhush]}",
           "control: {tokens: [&hushhush]}",
           "control: {tokens: [hushhush: x]}",
           "control: {tokens: [{hushhush: 1, hushhush: 2}]}",
           "control: {tokens: [[hushhush]]}",
           "control: {tokens: [{token: [hushhush]}]}",
           "control: {tokens: [{token: hushhush two}]}",
           "control: {tokens: [{token: t, account: hushhush}]}",
           "control: {tokens: [{token: t, read_only: hushhush}]}",
           "control: {tokens: [\"hushhush]}",
           "control: {tokens: [hushhush}",
           "control: {tokens: [!<hushhush]}",
       }) {
    const std::string text = problem(yaml);
    EXPECT_THAT(text, AllOf(StartsWith("f.yaml:1: "), Not(HasSubstr("hush")))) << yaml;
  }
  EXPECT_THAT(problem("control: {tokens: [{account: 0123}]}"), HasSubstr("control.tokens[0]: lacks token"));
  EXPECT_THAT(problem("control: {tokens: [{tokn: x, token: y}]}"),
              HasSubstr("control.tokens[0]: has an unknown key; allowed: token, account, read_only"));
}

TEST(Load, SaysWhereItIsNoYaml) {
  EXPECT_THAT(problem("log:\n  level: info\n format: text\n"), StartsWith("f.yaml:3: this is not YAML: "));
  EXPECT_THAT(problem("a: [1, 2\n"), HasSubstr("this is not YAML"));
  EXPECT_THAT(problem("threads: 1\n---\nthreads: 2\n"), HasSubstr("second document"));
  EXPECT_THAT(problem("[a]: b\n"), HasSubstr("a key must be a word"));
  EXPECT_THAT(problem("? {a: b}\n: c\n"), HasSubstr("a key must be a word"));
  EXPECT_THAT(problem("account: &a x\nlog: *a\n"), HasSubstr("f.yaml:2: an alias"));
  EXPECT_THAT(problem(std::string(100'000, '[')), HasSubstr("f.yaml:1: "));
}

TEST(Load, CutsWhatIsTooLongToShow) {
  const std::string text = problem("account: \"" + std::string(100'000, 'x') + "\\n\\x07\"\n");
  EXPECT_LT(text.size(), 200u);
  EXPECT_THAT(problem("account: \"a\\x1bb\"\n"), HasSubstr("\"a?b\""));
}

class LoadFile : public testing::Test {
 protected:
  LoadFile() {
    std::string name = testing::TempDir() + "simulcastd_config_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = name;
  }
  ~LoadFile() override { std::filesystem::remove_all(directory_); }

  static std::string problem_of(const std::filesystem::path& file) {
    try {
      load_file(file);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  std::filesystem::path directory_;
};

TEST_F(LoadFile, ReadsIt) {
  const auto file = directory_ / "a.yaml";
  std::ofstream(file) << "threads: 3\nstate_dir: state\n";
  const Config config = load_file(file);
  EXPECT_EQ(config.threads, 3u);
  EXPECT_EQ(config.state_dir, directory_ / "state");
  std::ofstream(file) << "threads: x\n";
  EXPECT_THAT(problem_of(file), StartsWith(file.string() + ":1: threads: "));
}

TEST_F(LoadFile, SaysWhyItCannot) {
  EXPECT_EQ(problem_of(directory_ / "none"),
            (directory_ / "none").string() + ": cannot be read: No such file or directory");
  EXPECT_EQ(problem_of(directory_), directory_.string() + ": cannot be read: Is a directory");
  std::ofstream(directory_ / "big") << std::string((1 << 20) + 1, '#');
  EXPECT_THAT(problem_of(directory_ / "big"), HasSubstr("is larger than 1 MiB"));
}

}  // namespace
}  // namespace simulcast::config
