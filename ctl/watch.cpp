#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "ctl/commands.hpp"
#include "ctl/errors.hpp"
#include "ctl/figures.hpp"
#include "ctl/names.hpp"
#include "ctl/table.hpp"

namespace simulcast::ctl {

namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds kPeriod{500};
// Home, and clear what is below the cursor: the screen does not flicker.
constexpr const char* kHome = "\x1b[H\x1b[J";
constexpr const char* kClear = "\x1b[2J";

volatile std::sig_atomic_t interrupted = 0;

struct Line {
  std::string input;
  std::string output;  // empty: the input itself
  std::string name;
  std::string state;
  std::string message;
  std::string bitrate;
  std::string media;  // of an input: what comes in
};

// The input that was asked for, else those that are live or have been since the first look.
std::vector<Line> look(ApiClient& api, const std::string& wanted, std::set<std::string>& seen) {
  std::vector<Line> lines;
  const auto list = api.get("/live_inputs");
  for (const auto& item : list.at("liveInputs").as_array()) {
    const auto& listed = item.as_object();
    const std::string uid(listed.at("uid").as_string());
    if (!wanted.empty() && uid != wanted) continue;
    const std::string state = state_of_input(listed);
    if (state == "connected" || state == "holding") seen.insert(uid);
    if (wanted.empty() && !seen.contains(uid)) continue;
    const auto input = api.get("/live_inputs/" + uid).as_object();
    const auto& stats = input.at("stats");
    const std::string video = video_of(stats);
    const std::string audio = audio_of(stats);
    const std::string media = video + (video.empty() || audio.empty() ? "" : "; ") + audio;
    lines.push_back({uid, "", name_of(input), state_of_input(input), "", bitrate_of(stats), media});
    const auto outputs = api.get("/live_inputs/" + uid + "/outputs");
    for (const auto& other : outputs.as_array()) {
      const auto& output = other.as_object();
      const auto& status = output.at("status");
      lines.push_back({uid, std::string(output.at("uid").as_string()), name_of(output),
                       std::string(status.at("state").as_string()),
                       std::string(status.at("message").as_string()), bitrate_of(output.at("stats")), ""});
    }
  }
  return lines;
}

std::string now() {
  return fmt::format("{:%H:%M:%S}", fmt::localtime(std::time(nullptr)));
}

void print_table(std::ostream& out, const std::vector<Line>& lines) {
  Table table({now(), "UID", "STATE", "BITRATE", ""});
  for (const Line& line : lines) {
    const bool is_input = line.output.empty();
    table.add({(is_input ? "" : "  ") + line.name, is_input ? line.input : line.output, line.state,
               line.bitrate, is_input ? line.media : line.message});
  }
  out << kHome;
  table.print(out);
  out << std::flush;
}

// A line for each state or message that is another than before: words, or a JSON object.
class Changes {
 public:
  explicit Changes(const Printing& printing) : printing_(printing) {}

  void print(const std::vector<Line>& lines) {
    for (const Line& line : lines) {
      std::string& last = last_[line.input + line.output];
      std::string current = line.state + '\n' + line.message;
      if (last == current) continue;
      last = std::move(current);
      printing_.out << (printing_.json ? as_json(line) : as_words(line)) << std::endl;
    }
  }

 private:
  static std::string as_words(const Line& line) {
    return fmt::format("{}  {}  {}  {}{}{}", now(), line.input, line.output.empty() ? "-" : line.output,
                       line.state, line.message.empty() ? "" : "  ", printable(line.message));
  }
  static std::string as_json(const Line& line) {
    json::object object{{"input", line.input}};
    if (!line.output.empty()) object["output"] = line.output;
    object["name"] = line.name;
    object["state"] = line.state;
    object["message"] = line.message;
    return json::serialize(object);
  }

  const Printing& printing_;
  std::map<std::string, std::string> last_;
};

}  // namespace

void watch(ApiClient& api, const Printing& printing, const std::string& input, bool on_terminal) {
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  const std::string wanted = input.empty() ? "" : find_input(api, input);
  const bool table = on_terminal && !printing.json;
  if (table) printing.out << kClear;
  Changes changes(printing);
  std::set<std::string> seen;
  std::optional<std::vector<Line>> lines = look(api, wanted, seen);
  std::string told;
  while (interrupted == 0) {
    if (lines && table) print_table(printing.out, *lines);
    if (lines && !table) changes.print(*lines);
    std::this_thread::sleep_for(kPeriod);
    // It may be restarted while somebody watches, or an input deleted in the middle of a look.
    std::string problem;
    try {
      lines = look(api, wanted, seen);
    } catch (const CommandError& error) {
      lines.reset();
      problem = error.what();
    }
    if (problem != told && !problem.empty()) std::cerr << "simulcastctl: " << problem << std::endl;
    told = problem;
  }
}

}  // namespace simulcast::ctl
