#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <map>
#include <thread>
#include <vector>

#include "config/visible_text.hpp"
#include "ctl/answer_json.hpp"
#include "ctl/commands.hpp"
#include "ctl/errors.hpp"
#include "ctl/event_reader.hpp"
#include "ctl/figures.hpp"
#include "ctl/live_view.hpp"
#include "ctl/names.hpp"
#include "ctl/table.hpp"

namespace simulcast::ctl {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds kBeforeNextTry{1};
// Home, and clear what is below the cursor: the screen does not flicker.
constexpr const char* kHome = "\x1b[H\x1b[J";
constexpr const char* kClear = "\x1b[2J";

struct Line {
  std::string input;
  std::string output;  // empty: the input itself
  std::string name;
  std::string state;
  std::string message;
  std::string bitrate;
  std::string media;  // of an input: what comes in
};

std::vector<Line> lines_of(const LiveView& view) {
  std::vector<Line> lines;
  for (const auto& [uid, record] : view.records()) {
    const json::object& input = record.input;
    const auto& stats = input.at("stats");
    std::string media = video_of(stats);
    if (const std::string audio = audio_of(stats); !audio.empty()) {
      media += (media.empty() ? "" : "; ") + audio;
    }
    lines.push_back({uid, "", name_of(input), state_of_input(input), "", bitrate_of(stats), media});
    for (const auto& other : record.outputs) {
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
                       line.state, line.message.empty() ? "" : "  ", config::visible_text(line.message));
  }
  static std::string as_json(const Line& line) {
    json::object object{{"input", line.input}};
    if (!line.output.empty()) object["output"] = line.output;
    object["name"] = line.name;
    object["state"] = line.state;
    object["message"] = line.message;
    return document_of(object);
  }

  const Printing& printing_;
  std::map<std::string, std::string> last_;
};

std::optional<LiveView::Record> fetch(ApiClient& api, const std::string& uid) {
  try {
    const std::string path = "/live_inputs/" + uid;
    return LiveView::Record{api.get(path).as_object(), api.get(path + "/outputs").as_array()};
  } catch (const CommandError& error) {
    if (error.code() != ExitCode::refused) throw;
    return std::nullopt;  // deleted
  }
}

}  // namespace

void watch(ApiClient& api, const Printing& printing, const std::string& input, bool on_terminal) {
  // Every line has been written to its end.
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { std::_Exit(EXIT_SUCCESS); });
  const std::string wanted = input.empty() ? "" : find_input(api, input);
  const bool table = on_terminal && !printing.json;
  if (table) printing.out << kClear;

  LiveView view([&api](const std::string& uid) { return fetch(api, uid); }, wanted);
  Changes changes(printing);
  bool begun = false;
  const auto show = [&] {
    if (table) {
      print_table(printing.out, lines_of(view));
    } else {
      changes.print(lines_of(view));
    }
  };
  for (;;) {
    EventReader reader([&](std::string_view event, std::string_view data) {
      view.apply(event, data);
      show();
    });
    const auto begin = [&] {
      begun = true;
      view.begin();
      show();
    };
    // The daemon may be restarted while somebody watches.
    try {
      api.follow("/events" + (wanted.empty() ? "" : "?input=" + wanted), begin, [&](std::string_view text) {
        if (!reader.feed(text)) throw CommandError(ExitCode::unreachable, "an event is too long");
      });
    } catch (const CommandError& error) {
      if (!begun || error.code() == ExitCode::refused) throw;
      std::cerr << "simulcastctl: " << config::visible_lines(error.what()) << std::endl;
    }
    std::this_thread::sleep_for(kBeforeNextTry);
  }
}

}  // namespace simulcast::ctl
