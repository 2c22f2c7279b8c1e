// The address of an RTMP destination, as its owner typed it.
//
// The URL is the application, whole: its query belongs to it and is kept byte for byte, as services that sign
// URLs compare bytes. The stream key is a field of its own and becomes the stream name untouched. Pure
// function, any thread. Errors never carry any part of either.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace simulcast::rtmp {

struct PublishUrl {
  bool tls = false;
  std::string host;  // a name or an address; IPv6 without its brackets
  std::uint16_t port = 0;
  std::string app;          // path without its outer slashes, and the query
  std::string tc_url;       // scheme://host[:port]/app, port and spelling as typed
  std::string stream_name;  // secret
};

// `url` is rtmp:// (default port 1935) or rtmps:// (443). A trailing slash of its path changes nothing.
boost::system::result<PublishUrl> parse_publish_url(std::string_view url, std::string_view stream_key);

}  // namespace simulcast::rtmp
