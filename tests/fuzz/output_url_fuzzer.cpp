// The address and key of an output, and the address of a webhook, as the API judges them: what it lets pass,
// egress or the webhook's client must be able to use, and a literal address never lies in a denied network.
// The input is two texts with a line feed between.
#include "control/api/output_url.hpp"

#include <boost/asio/ip/address.hpp>

#include "config/denied_networks.hpp"
#include "config/values.hpp"
#include "control/notifications/webhook_url.hpp"
#include "net/srt_url.hpp"
#include "protocol/rtmp/publish_url.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

const std::vector<config::Network>& denied() {
  static const std::vector<config::Network> networks = [] {
    std::vector<config::Network> all;
    for (const char* text :
         {"127.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10", "fc00::/7"}) {
      all.push_back(config::parse_network(text));
    }
    return all;
  }();
  return networks;
}

// As dialling would take the host: a literal is not resolved.
void check_allowed(const std::string& host) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (!error) fuzz::check(config::denying_network(address, denied()) == nullptr);
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = text.substr(0, text.find('\n'));
  const auto key = text.substr(std::min(size, url.size() + 1));
  const bool srt = net::is_srt_url(url);
  const std::string key_problem = control::stream_key_problem(key, srt);
  const std::string problem = control::output_url_problem(url, denied());
  // They say what is wrong without saying what it was.
  const std::string webhook_problem = control::webhook_url_problem(url, denied());
  for (const std::string& sentence : {problem, key_problem, webhook_problem}) {
    check(sentence.size() < 300);
    check(std::ranges::none_of(sentence, [](unsigned char c) { return c < 0x20 || c >= 0x7F; }));
  }
  if (webhook_problem.empty()) {
    const auto webhook = control::parse_webhook_url(url);
    check(webhook.has_value() && webhook->port != 0 && webhook->target.starts_with('/'));
    check_allowed(webhook->host);
    for (const std::string& part : {webhook->target, webhook->host_header}) {
      check(std::ranges::none_of(part, [](unsigned char c) { return c <= 0x20 || c >= 0x7F; }));
    }
  }
  if (!problem.empty()) return;
  check(url.size() <= control::kMaxOutputUrl);

  if (srt) {
    const auto parsed = net::parse_srt_url(url);
    const auto* target = std::get_if<net::SrtUrl>(&parsed);
    check(target != nullptr);
    check_allowed(target->host);
  } else if (key_problem.empty() && key.size() <= control::kMaxStreamKey) {
    const auto target = rtmp::parse_publish_url(url, key);
    check(target.has_value());
    check_allowed(target->host);
  }
}
