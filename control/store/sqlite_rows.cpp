#include "control/store/sqlite_rows.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <spdlog/fmt/fmt.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include "config/api_nesting.hpp"
#include "control/store/store.hpp"

namespace simulcast::control {

namespace json = boost::json;

const std::string_view kInputColumns =
    "account, uid, revision, created, modified, enabled, meta, default_creator, delete_recording_after_days, "
    "prefer_low_latency, recording_mode, recording_timeout_seconds, require_signed_urls, allowed_origins, "
    "hide_live_viewer_count, rtmp_secret, srt_secret, rtmp_playback_secret, srt_playback_secret, "
    "keys_rotated_at";
const std::string_view kInputValues = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";
const std::string_view kOutputColumns =
    "uid, input_uid, revision, created, modified, url, stream_key, enabled, name, verify_tls";
const std::string_view kOutputValues = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?";

namespace {

// Walks the columns of a row.
class Reader {
 public:
  explicit Reader(SQLite::Statement& row) : row_(row) {}

  std::string text() { return row_.getColumn(next_++).getString(); }
  std::int64_t number() { return row_.getColumn(next_++).getInt64(); }
  bool boolean() { return number() != 0; }
  Timestamp time() { return Timestamp(std::chrono::microseconds(number())); }
  bool skip_null() {
    if (!row_.getColumn(next_).isNull()) return false;
    ++next_;
    return true;
  }

 private:
  SQLite::Statement& row_;
  int next_ = 0;
};

// Walks the parameters of a statement.
class Writer {
 public:
  explicit Writer(SQLite::Statement& statement) : statement_(statement) {}

  Writer& operator<<(const std::string& text) {
    statement_.bind(next_++, text);
    return *this;
  }
  Writer& operator<<(std::int64_t number) {
    statement_.bind(next_++, number);
    return *this;
  }
  Writer& operator<<(bool flag) { return *this << std::int64_t{flag}; }
  Writer& operator<<(Timestamp time) { return *this << std::int64_t{time.time_since_epoch().count()}; }
  template <class T>
  Writer& operator<<(const std::optional<T>& value) {
    if (value) return *this << *value;
    statement_.bind(next_++);
    return *this;
  }
  int next() const { return next_; }

 private:
  SQLite::Statement& statement_;
  int next_ = 1;
};

// A column that holds JSON. It was written by bind_record(), but files get damaged, and edited by hand.
template <class T>
T parse_column(const std::string& text, std::string_view name, const std::string& uid) {
  json::parse_options options;
  options.max_depth = config::kMaxBodyNesting;  // nothing deeper has ever been taken
  try {
    return json::value_to<T>(json::parse(text, {}, options));
  } catch (const std::exception&) {
    throw DamagedRecord(
        fmt::format("the record of live input {} is damaged: its {} makes no sense", uid, name));
  }
}

}  // namespace

LiveInput read_input(SQLite::Statement& row) {
  Reader reader(row);
  LiveInput input;
  input.account = reader.text();
  input.uid = reader.text();
  input.revision = reader.number();
  input.created = reader.time();
  input.modified = reader.time();
  input.enabled = reader.boolean();
  input.meta = parse_column<json::object>(reader.text(), "meta", input.uid);
  input.default_creator = reader.text();
  if (!reader.skip_null()) input.delete_recording_after_days = reader.number();
  input.prefer_low_latency = reader.boolean();
  input.recording.mode = reader.text();
  input.recording.timeout_seconds = reader.number();
  input.recording.require_signed_urls = reader.boolean();
  if (!reader.skip_null()) {
    input.recording.allowed_origins =
        parse_column<std::vector<std::string>>(reader.text(), "allowed_origins", input.uid);
  }
  input.recording.hide_live_viewer_count = reader.boolean();
  input.rtmp_secret = reader.text();
  input.srt_secret = reader.text();
  input.rtmp_playback_secret = reader.text();
  input.srt_playback_secret = reader.text();
  if (!reader.skip_null()) input.keys_rotated_at = reader.time();
  return input;
}

Output read_output(SQLite::Statement& row) {
  Reader reader(row);
  Output output;
  output.uid = reader.text();
  output.input_uid = reader.text();
  output.revision = reader.number();
  output.created = reader.time();
  output.modified = reader.time();
  output.url = reader.text();
  output.stream_key = reader.text();
  output.enabled = reader.boolean();
  output.name = reader.text();
  output.verify_tls = reader.boolean();
  return output;
}

int bind_record(SQLite::Statement& statement, const LiveInput& input) {
  std::optional<std::string> origins;
  if (input.recording.allowed_origins) {
    origins = json::serialize(json::value_from(*input.recording.allowed_origins));
  }
  Writer writer(statement);
  writer << input.account << input.uid << input.revision << input.created << input.modified << input.enabled
         << json::serialize(input.meta) << input.default_creator << input.delete_recording_after_days
         << input.prefer_low_latency << input.recording.mode << input.recording.timeout_seconds
         << input.recording.require_signed_urls << origins << input.recording.hide_live_viewer_count
         << input.rtmp_secret << input.srt_secret << input.rtmp_playback_secret << input.srt_playback_secret
         << input.keys_rotated_at;
  return writer.next();
}

int bind_record(SQLite::Statement& statement, const Output& output) {
  Writer writer(statement);
  writer << output.uid << output.input_uid << output.revision << output.created << output.modified
         << output.url << output.stream_key << output.enabled << output.name << output.verify_tls;
  return writer.next();
}

Query& Query::bind(std::string_view text) {
  statement_.bind(next_++, std::string(text));
  return *this;
}

Query& Query::bind(std::int64_t number) {
  statement_.bind(next_++, number);
  return *this;
}

Query& Query::bind_blob(std::string_view bytes) {
  statement_.bind(next_++, bytes.data(), static_cast<int>(bytes.size()));
  return *this;
}

}  // namespace simulcast::control
