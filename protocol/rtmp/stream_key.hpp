// Finds application and stream key in what encoders send as `app` of connect and name of publish.
//
// The same URL is split in many ways: rtmp://host/live/KEY comes as ("live", "KEY"), with a trailing slash as
// ("live/KEY", ""), with a query on either side, with "mp4:" before the name, with a slash inside the query
// split there. Pure functions, any thread. Keys are case-sensitive and never percent-decoded: librtmp has
// done so before sending.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

namespace simulcast::rtmp {

struct PublishTarget {
  std::string app;
  std::string key;
  bool operator==(const PublishTarget&) const = default;
};

boost::system::result<PublishTarget> publish_target(std::string_view app, std::string_view name);

// The first segment of an application as sent in connect, where the stream key may still follow or be
// missing.
std::string_view application_root(std::string_view app);

}  // namespace simulcast::rtmp
