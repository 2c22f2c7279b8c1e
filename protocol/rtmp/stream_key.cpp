#include "protocol/rtmp/stream_key.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "protocol/rtmp/error.hpp"
#include "protocol/rtmp/limits.hpp"

namespace simulcast::rtmp {

namespace {

std::string_view without_query(std::string_view text) {
  return text.substr(0, text.find('?'));
}

// "%00" would be the end of the text to whoever decodes it later.
bool is_clean(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; }) &&
         text.find("%00") == std::string_view::npos;
}

// Without the empty ones, and without the instance name that Flash tools append to an application.
void append_segments(std::string_view path, std::vector<std::string_view>& segments) {
  while (!path.empty()) {
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), segment.size() + 1));
    if (!segment.empty() && segment != "_definst_") segments.push_back(segment);
  }
}

// librtmp and ffmpeg put the container's name before that of a file.
std::string_view without_prefix(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kPrefixes{"mp4:", "flv:", "mp3:"};
  for (const auto prefix : kPrefixes) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

}  // namespace

boost::system::result<PublishTarget> publish_target(std::string_view app, std::string_view name) {
  if (app.size() > kMaxNameLength || name.size() > kMaxNameLength) return Error::stream_name_too_long;
  if (!is_clean(app) || !is_clean(name)) return Error::bad_stream_name;

  std::vector<std::string_view> segments;
  append_segments(without_query(app), segments);
  // rtmp://host/live/KEY?token=a/b is split at its last slash by ffmpeg and GStreamer. Then `name` is the
  // rest of the query and the key stands in `app` already. A query behind the bare application (app?k=v,
  // name) is a different and proper form.
  const bool split_in_query = app.find('?') != std::string_view::npos && segments.size() > 1;
  if (!split_in_query) append_segments(without_query(name), segments);
  if (segments.size() < 2) return Error::no_stream_key;

  PublishTarget target{.app = {}, .key = std::string(without_prefix(segments.back()))};
  segments.pop_back();
  for (const auto segment : segments) {
    if (!target.app.empty()) target.app += '/';
    target.app += segment;
  }
  if (target.key.empty()) return Error::no_stream_key;
  return target;
}

std::string_view application_root(std::string_view app) {
  app = without_query(app);
  app.remove_prefix(std::min(app.find_first_not_of('/'), app.size()));
  return app.substr(0, app.find('/'));
}

}  // namespace simulcast::rtmp
