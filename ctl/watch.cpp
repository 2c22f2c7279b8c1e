#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <map>
#include <thread>
#include <vector>

#include "ctl/commands.hpp"
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
  std::string figures;
};

// What is live, or the one input that was asked for.
std::vector<Line> look(ApiClient& api, const std::string& wanted) {
  std::vector<Line> lines;
  for (const auto& item : api.get("/live_inputs").at("liveInputs").as_array()) {
    const auto& listed = item.as_object();
    const std::string uid(listed.at("uid").as_string());
    if (!wanted.empty() ? uid != wanted : !listed.at("status").is_object()) continue;
    const auto input = api.get("/live_inputs/" + uid).as_object();
    const auto& stats = input.at("stats");
    std::string figures = bitrate_of(stats);
    if (const std::string video = video_of(stats); !video.empty()) figures += "  " + video;
    if (const std::string audio = audio_of(stats); !audio.empty()) figures += "  " + audio;
    lines.push_back({uid, "", name_of(input), state_of_input(input), "", figures});
    for (const auto& other : api.get("/live_inputs/" + uid + "/outputs").as_array()) {
      const auto& output = other.as_object();
      const auto& status = output.at("status");
      lines.push_back({uid, std::string(output.at("uid").as_string()), name_of(output),
                       std::string(status.at("state").as_string()), std::string(status.at("message").as_string()),
                       bitrate_of(output.at("stats"))});
    }
  }
  return lines;
}

std::string now() {
  return fmt::format("{:%H:%M:%S}", fmt::localtime(std::time(nullptr)));
}

void print_table(std::ostream& out, const std::vector<Line>& lines) {
  Table table({now(), "UID", "STATE", "FIGURES", "MESSAGE"});
  for (const Line& line : lines) {
    const bool is_input = line.output.empty();
    table.add({(is_input ? "" : "  ") + line.name, is_input ? line.input : line.output, line.state, line.figures,
               line.message});
  }
  out << kHome;
  table.print(out);
  out << std::flush;
}

class Changes {
 public:
  void print(std::ostream& out, const std::vector<Line>& lines) {
    for (const Line& line : lines) {
      const std::string text = line.state + (line.message.empty() ? "" : "  " + printable(line.message));
      std::string& last = last_[line.input + line.output];
      if (last == text) continue;
      last = text;
      out << fmt::format("{}  {}  {}  {}\n", now(), line.input, line.output.empty() ? "-" : line.output, text) << std::flush;
    }
  }

 private:
  std::map<std::string, std::string> last_;
};

}  // namespace

void watch(ApiClient& api, const Printing& printing, const std::string& input, bool on_terminal) {
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  const std::string wanted = input.empty() ? "" : find_input(api, input);
  if (on_terminal) printing.out << kClear;
  Changes changes;
  while (interrupted == 0) {
    const auto lines = look(api, wanted);
    if (on_terminal) {
      print_table(printing.out, lines);
    } else {
      changes.print(printing.out, lines);
    }
    std::this_thread::sleep_for(kPeriod);
  }
}

}  // namespace simulcast::ctl
