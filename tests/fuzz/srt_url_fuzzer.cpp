// Addresses of SRT destinations as a user of the API may write them.
#include "net/srt_url.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = net::parse_srt_url(text);
  if (const auto* url = std::get_if<net::SrtUrl>(&parsed)) {
    fuzz::check(!url->host.empty() && url->port != 0);
    fuzz::check(!url->stream_id || url->stream_id->size() <= net::kMaxSrtStreamId);
    fuzz::check(url->passphrase.empty() || (url->passphrase.size() >= net::kMinSrtPassphrase &&
                                            url->passphrase.size() <= net::kMaxSrtPassphrase));
    fuzz::check(!url->latency || *url->latency <= net::kMaxSrtLatency);
  } else {
    fuzz::check(!std::get<net::SrtUrlProblem>(parsed).sentence.empty());
  }
}
