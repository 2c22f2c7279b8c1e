// A peer's words made fit to be shown: the input is a secret, a line feed and the words.
#include "protocol/rtmp/peer_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "protocol/rtmp/limits.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string secret(text.substr(0, text.find('\n')));
  const auto words = text.substr(std::min(size, secret.size() + 1));
  const std::string clean = rtmp::clean_peer_text(words, std::span(&secret, 1));
  check(clean.size() <= rtmp::kMaxPeerWords);
  check(std::ranges::none_of(clean, [](unsigned char c) { return c < 0x20 || c == 0x7F; }));
  // Asterisks may be a secret only in a test, and hide themselves; one that is no UTF-8 comes through no API,
  // and its bytes may be parts of other characters.
  boost::system::error_code ill_formed;
  (void)boost::json::parse(boost::json::serialize(boost::json::string(secret)), ill_formed);
  const bool hidable = !secret.empty() && !ill_formed && secret.find('*') == std::string::npos;
  check(!hidable || clean.find(secret) == std::string::npos);
  // Valid UTF-8, or the answer of the API would not be.
  boost::system::error_code error;
  (void)boost::json::parse(boost::json::serialize(boost::json::string(clean)), error);
  check(!error);
}
