// Names from encoders and URLs from users: the input is two texts with a line feed between.
#include "protocol/rtmp/publish_url.hpp"
#include "protocol/rtmp/stream_key.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto first = text.substr(0, text.find('\n'));
  const auto second = text.substr(std::min(text.size(), first.size() + 1));

  if (const auto target = rtmp::publish_target(first, second); target.has_value()) {
    fuzz::check(!target->key.empty() && !target->app.empty());
    fuzz::check(target->key.find_first_of(std::string_view("/?\0", 3)) == std::string::npos);
    // The key is a part of what was sent, never made up.
    fuzz::check(first.find(target->key) != std::string::npos ||
                second.find(target->key) != std::string::npos);
  } else {
    check_told(target.error());
  }
  (void)rtmp::application_root(first);

  if (const auto url = rtmp::parse_publish_url(first, second); url.has_value()) {
    fuzz::check(!url->host.empty() && url->port != 0 && !url->app.empty());
    fuzz::check(url->stream_name == second);
    fuzz::check(url->tc_url.ends_with("/" + url->app));
    // The address that it calls itself leads to the same place.
    const auto again = rtmp::parse_publish_url(url->tc_url, second);
    fuzz::check(again.has_value() && again->tc_url == url->tc_url && again->app == url->app &&
                again->host == url->host && again->port == url->port);
  } else {
    check_told(url.error());
  }
}
