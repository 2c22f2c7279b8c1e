// Makes a peer's words fit to be shown: in the API, in a log, on a dashboard.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace simulcast::rtmp {

// Valid UTF-8 without control characters, at most kMaxPeerWords bytes, every occurrence of a secret masked.
std::string clean_peer_text(std::string_view text, std::span<const std::string> secrets);

}  // namespace simulcast::rtmp
