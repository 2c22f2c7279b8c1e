// The annotated default file says what the code does: its settings are the defaults, its examples are
// understood.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "config/load.hpp"

namespace simulcast::config {
namespace {

std::string default_file() {
  std::ifstream stream(SIMULCASTD_SOURCE_DIR "/config/simulcastd.yaml");
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// With every example switched on: a # with no space behind it, or one that keeps the indentation of its
// section.
std::string with_examples(const std::string& yaml) {
  static const std::regex example("^( *)#(?=\\w|  )");
  std::istringstream lines(yaml);
  std::string result;
  for (std::string line; std::getline(lines, line);) result += std::regex_replace(line, example, "$1") + '\n';
  return result;
}

std::string text(const std::optional<Listen>& listen) {
  return listen ? listen->host + ':' + std::to_string(listen->port) : "off";
}

TEST(DefaultFile, IsTheDefaults) {
  const Config file = load_text(default_file(), "simulcastd.yaml");
  const Config none;
  EXPECT_EQ(file.state_dir, none.state_dir);
  EXPECT_EQ(file.public_host, none.public_host);
  EXPECT_EQ(file.account, none.account);
  EXPECT_EQ(text(file.control.listen), text(none.control.listen));
  EXPECT_TRUE(file.control.tokens.empty());
  EXPECT_TRUE(file.control.tokens_file.empty());
  EXPECT_FALSE(file.control.tls);
  ASSERT_TRUE(file.ingest.rtmp);
  EXPECT_EQ(text(file.ingest.rtmp->listen), text(none.ingest.rtmp->listen));
  EXPECT_FALSE(file.ingest.rtmps);
  ASSERT_TRUE(file.ingest.srt);
  EXPECT_EQ(text(file.ingest.srt->listen), text(none.ingest.srt->listen));
  EXPECT_EQ(file.ingest.srt->latency, none.ingest.srt->latency);
  EXPECT_EQ(file.stream.hold, none.stream.hold);
  EXPECT_EQ(file.egress.queue_duration, none.egress.queue_duration);
  EXPECT_EQ(file.egress.queue_bytes, none.egress.queue_bytes);
  EXPECT_EQ(file.egress.audio_wait, none.egress.audio_wait);
  EXPECT_EQ(file.egress.ca_file, none.egress.ca_file);
  EXPECT_EQ(file.egress.platforms, none.egress.platforms);
  ASSERT_EQ(file.egress.deny.size(), none.egress.deny.size());
  for (std::size_t i = 0; i < none.egress.deny.size(); ++i) {
    EXPECT_EQ(file.egress.deny[i].text, none.egress.deny[i].text);
    EXPECT_EQ(file.egress.deny[i].address, none.egress.deny[i].address);
    EXPECT_EQ(file.egress.deny[i].prefix_length, none.egress.deny[i].prefix_length);
  }
  EXPECT_EQ(file.outputs_per_input, none.outputs_per_input);
  EXPECT_EQ(file.requests_per_second, none.requests_per_second);
  EXPECT_EQ(file.log.level, none.log.level);
  EXPECT_EQ(file.log.format, none.log.format);
  EXPECT_EQ(file.threads, none.threads);
}

TEST(DefaultFile, HasAnExampleOfEverySettingWithoutDefault) {
  const Config file = load_text(with_examples(default_file()), "simulcastd.yaml");
  EXPECT_FALSE(file.account.empty());
  ASSERT_EQ(file.control.tokens.size(), 2u);
  EXPECT_FALSE(file.control.tokens[1].account.empty());
  EXPECT_TRUE(file.control.tokens[1].read_only);
  EXPECT_FALSE(file.control.tokens_file.empty());
  ASSERT_TRUE(file.control.tls);
  ASSERT_TRUE(file.ingest.rtmps);
  EXPECT_EQ(text(file.ingest.rtmps->listen), "0.0.0.0:1936");
  EXPECT_FALSE(file.egress.ca_file.empty());
  EXPECT_FALSE(file.egress.platforms.empty());
}

// The keys are what the loader lists as allowed when it meets one it does not know.
TEST(DefaultFile, NamesEveryKeyTheLoaderKnows) {
  const std::string wrong =
      "x_: 1\n"
      "control: {x_: 1, tls: {x_: 1}, tokens: [{x_: 1}]}\n"
      "ingest: {x_: 1, rtmp: {x_: 1}, rtmps: {x_: 1}, srt: {x_: 1}}\n"
      "stream: {x_: 1}\negress: {x_: 1, queue: {x_: 1}, tls: {x_: 1}}\n"
      "limits: {x_: 1}\nlog: {x_: 1}\n";
  std::string message;
  try {
    load_text(wrong, "f");
  } catch (const ConfigError& error) {
    message = error.what();
  }
  const std::string documented = with_examples(default_file());
  std::istringstream lines(message);
  int lists = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto begin = line.find("unknown key; allowed: ");
    if (begin == std::string::npos) continue;
    ++lists;
    std::istringstream keys(line.substr(line.find("allowed: ") + 9));
    for (std::string key; std::getline(keys >> std::ws, key, ',');)
      EXPECT_TRUE(std::regex_search(documented, std::regex("(^|\\n)[ -]*" + key + ":"))) << key;
  }
  EXPECT_EQ(lists, 14);
}

}  // namespace
}  // namespace simulcast::config
