#include "control/api/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <sstream>
#include <utility>
#include <vector>

#include "control/api/metric_label.hpp"
#include "control/api/process_figures.hpp"

namespace simulcast::control {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

namespace {

using Labels = std::vector<ClientMetric::Label>;

const prometheus::Histogram::BucketBoundaries kSeconds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                       0.025,  0.05,    0.1,    0.25,  0.5,    1};

// One name with its values, each with its labels.
class Family {
 public:
  Family(std::string name, std::string help, MetricType type) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }

  void add(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (family_.type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    family_.metric.push_back(std::move(metric));
  }

  void move_to(std::vector<MetricFamily>& all) {
    if (!family_.metric.empty()) all.push_back(std::move(family_));
  }

 private:
  MetricFamily family_;
};

template <class Rep, class Period>
double seconds(std::chrono::duration<Rep, Period> duration) {
  return std::chrono::duration<double>(duration).count();
}

double epoch_seconds(media::WallTime time) {
  return seconds(time.time_since_epoch());
}

const char* state_of(const media::InputStatus& status) {
  if (status.connected) return "connected";
  return status.reason == media::InputReason::reconnecting ? "holding" : "disconnected";
}

// A name, what it means, its kind, and where its value is.
template <class From>
struct Row {
  const char* name;
  const char* help;
  MetricType type;
  double (*value)(const From&);
};

constexpr std::array kInputRows{
    Row<media::InputStats>{"simulcastd_input_received_bytes_total",
                           "Payload bytes from the publisher since the stream began", MetricType::Counter,
                           [](const media::InputStats& s) { return static_cast<double>(s.bytes_received); }},
    Row<media::InputStats>{"simulcastd_input_received_packets_total",
                           "Packets from the publisher since the stream began", MetricType::Counter,
                           [](const media::InputStats& s) { return static_cast<double>(s.packets); }},
    Row<media::InputStats>{"simulcastd_input_clock_jumps_total",
                           "Jumps of the publisher's clock that were smoothed over", MetricType::Counter,
                           [](const media::InputStats& s) { return static_cast<double>(s.clock_jumps); }},
    Row<media::InputStats>{"simulcastd_input_bits_per_second", "What comes in, over the last second",
                           MetricType::Gauge,
                           [](const media::InputStats& s) { return static_cast<double>(s.bitrate); }},
    Row<media::InputStats>{"simulcastd_input_video_frames_per_second",
                           "By the publisher's clock; 0: not known", MetricType::Gauge,
                           [](const media::InputStats& s) { return s.video ? s.video->fps : 0.0; }},
    Row<media::InputStats>{
        "simulcastd_input_keyframe_interval_seconds", "The longest of the last three; 0: not known",
        MetricType::Gauge,
        [](const media::InputStats& s) { return s.video ? seconds(s.video->keyframe_interval) : 0.0; }},
};

constexpr std::array kOutputRows{
    Row<media::OutputStats>{"simulcastd_output_sent_bytes_total", "Payload bytes given to the socket",
                            MetricType::Counter,
                            [](const media::OutputStats& s) { return static_cast<double>(s.bytes_sent); }},
    Row<media::OutputStats>{"simulcastd_output_sent_frames_total", "Video frames sent", MetricType::Counter,
                            [](const media::OutputStats& s) { return static_cast<double>(s.frames_sent); }},
    Row<media::OutputStats>{
        "simulcastd_output_dropped_frames_total",
        "Video frames given up because the destination was too slow", MetricType::Counter,
        [](const media::OutputStats& s) { return static_cast<double>(s.frames_dropped); }},
    Row<media::OutputStats>{"simulcastd_output_reconnects_total", "Connections after the first one",
                            MetricType::Counter,
                            [](const media::OutputStats& s) { return static_cast<double>(s.reconnects); }},
    Row<media::OutputStats>{"simulcastd_output_retransmits_total", "Segments or packets sent again",
                            MetricType::Counter,
                            [](const media::OutputStats& s) { return static_cast<double>(s.retransmits); }},
    Row<media::OutputStats>{"simulcastd_output_lost_packets_total",
                            "SRT: missed by the destination, most of them repaired", MetricType::Counter,
                            [](const media::OutputStats& s) { return static_cast<double>(s.packets_lost); }},
    Row<media::OutputStats>{
        "simulcastd_output_late_packets_total", "SRT: given up as too late", MetricType::Counter,
        [](const media::OutputStats& s) { return static_cast<double>(s.packets_dropped); }},
    Row<media::OutputStats>{"simulcastd_output_bits_per_second", "What goes out, over the last second",
                            MetricType::Gauge,
                            [](const media::OutputStats& s) { return static_cast<double>(s.bitrate); }},
    Row<media::OutputStats>{"simulcastd_output_queue_seconds", "Media that waits for the destination",
                            MetricType::Gauge, [](const media::OutputStats& s) { return seconds(s.queue); }},
    Row<media::OutputStats>{"simulcastd_output_rtt_seconds", "Round trip; 0: not known", MetricType::Gauge,
                            [](const media::OutputStats& s) { return s.rtt ? seconds(*s.rtt) : 0.0; }},
    Row<media::OutputStats>{
        "simulcastd_output_connected_timestamp_seconds", "Since when it is connected; 0: it is not",
        MetricType::Gauge,
        [](const media::OutputStats& s) { return s.connected_at ? epoch_seconds(*s.connected_at) : 0.0; }},
};

template <class From, std::size_t kSize>
std::vector<Family> families(const std::array<Row<From>, kSize>& rows) {
  std::vector<Family> made;
  made.reserve(kSize);
  for (const auto& row : rows) made.emplace_back(row.name, row.help, row.type);
  return made;
}

void add_streams(const std::vector<InputSnapshot>& inputs, std::vector<MetricFamily>& all) {
  Family input_info("simulcastd_input_info", "Always 1; the name of the input", MetricType::Gauge);
  Family input_state("simulcastd_input_state", "1 for the state that the input is in", MetricType::Gauge);
  Family output_info("simulcastd_output_info", "Always 1; the name of the output", MetricType::Gauge);
  Family output_state("simulcastd_output_state", "1 for the state that the output is in", MetricType::Gauge);
  Family attempts("simulcastd_output_attempt", "Failed tries since the last good connection",
                  MetricType::Gauge);
  auto of_inputs = families(kInputRows);
  auto of_outputs = families(kOutputRows);

  for (const InputSnapshot& input : inputs) {
    input_info.add(1, {{"input", input.uid}, {"name", metric_label(input.name)}});
    input_state.add(
        1, {{"input", input.uid}, {"state", input.status ? state_of(*input.status) : "disconnected"}});
    for (std::size_t i = 0; input.stats && i < kInputRows.size(); ++i) {
      of_inputs[i].add(kInputRows[i].value(*input.stats), {{"input", input.uid}});
    }
    for (const OutputSnapshot& output : input.outputs) {
      const Labels labels{{"input", input.uid}, {"output", output.uid}};
      Labels named = labels;
      named.push_back({"name", metric_label(output.name)});
      output_info.add(1, std::move(named));
      Labels in_state = labels;
      in_state.push_back({"state", std::string(to_string(output.status.state))});
      output_state.add(1, std::move(in_state));
      attempts.add(output.status.attempt, labels);
      for (std::size_t i = 0; input.stats && i < kOutputRows.size(); ++i) {
        of_outputs[i].add(kOutputRows[i].value(output.stats), labels);
      }
    }
  }
  for (Family* family : {&input_info, &input_state, &output_info, &output_state, &attempts}) {
    family->move_to(all);
  }
  for (Family& family : of_inputs) family.move_to(all);
  for (Family& family : of_outputs) family.move_to(all);
}

void add_shards(const std::vector<ShardSnapshot>& shards, std::vector<MetricFamily>& all) {
  Family lag("simulcastd_shard_loop_lag_seconds", "How late its event loop was at most in the last second",
             MetricType::Gauge);
  for (std::size_t i = 0; i < shards.size(); ++i) {
    lag.add(seconds(shards[i].loop_lag), {{"shard", std::to_string(i)}});
  }
  lag.move_to(all);
}

void add_process(std::vector<MetricFamily>& all) {
  const auto add = [&](const char* name, const char* help, MetricType type, double value,
                       Labels labels = {}) {
    Family family(name, help, type);
    family.add(value, std::move(labels));
    family.move_to(all);
  };
  const ProcessFigures figures = process_figures();
  add("simulcastd_build_info", "Always 1; the version", MetricType::Gauge, 1,
      {{"version", SIMULCASTD_VERSION}});
  add("process_cpu_seconds_total", "CPU time, user and system", MetricType::Counter, figures.cpu_seconds);
  add("process_resident_memory_bytes", "Resident memory", MetricType::Gauge, figures.resident_bytes);
  add("process_open_fds", "Open file descriptors", MetricType::Gauge, figures.open_descriptors);
  add("process_max_fds", "How many file descriptors may be open", MetricType::Gauge,
      figures.most_descriptors);
  add("process_start_time_seconds", "When the process began, since the epoch", MetricType::Gauge,
      figures.started);
}

}  // namespace

Metrics::Metrics(Engine& engine, std::function<Clock::time_point()> now)
    : engine_(engine),
      now_(std::move(now)),
      requests_(prometheus::BuildCounter()
                    .Name("simulcastd_http_requests_total")
                    .Help("Answered requests to the API")
                    .Register(registry_)),
      request_seconds_(prometheus::BuildHistogram()
                           .Name("simulcastd_http_request_seconds")
                           .Help("Time to answer a request")
                           .Register(registry_)
                           .Add({}, kSeconds)),
      store_seconds_(prometheus::BuildHistogram()
                         .Name("simulcastd_store_seconds")
                         .Help("Time of a call of the store")
                         .Register(registry_)
                         .Add({}, kSeconds)) {}

void Metrics::request_answered(const std::string& method, unsigned status,
                               std::chrono::duration<double> took) {
  // Methods are the client's to choose, so only those that exist get a label of their own.
  constexpr std::array kMethods{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"};
  const char* known = "other";
  for (const char* name : kMethods) {
    if (method == name) known = name;
  }
  requests_.Add({{"method", known}, {"status", std::to_string(status)}}).Increment();
  request_seconds_.Observe(took.count());
}

void Metrics::store_called(std::chrono::duration<double> took) {
  store_seconds_.Observe(took.count());
}

Text Metrics::text() {
  const Clock::time_point began = now_();
  if (text_ && began < fresh_until_) return text_;
  text_ = std::make_shared<const std::string>(build());
  const Clock::time_point built = now_();
  fresh_until_ = built + std::max<Clock::duration>(kFresh, kStaysFor * (built - began));
  return text_;
}

std::string Metrics::build() const {
  std::vector<MetricFamily> all;
  add_process(all);
  add_shards(engine_.shards(), all);
  add_streams(engine_.snapshot(Engine::Which::all), all);
  for (auto& family : registry_.Collect()) all.push_back(std::move(family));
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, all);
  return std::move(out).str();
}

Response Metrics::response() {
  return {.status = 200,
          .body = {},
          .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
          .shared = text()};
}

}  // namespace simulcast::control
