// The chunk stream: the same bytes must give the same messages whether they come at once or in pieces, and
// whether their memory may be shared or not.
#include "protocol/rtmp/chunk_reader.hpp"

#include "tests/fuzz/fuzz.hpp"

using namespace simulcast;

namespace {

struct Digest {
  std::size_t messages = 0;
  std::uint64_t hash = 14695981039346656037U;
  boost::system::error_code error;

  void add(std::uint64_t value) { hash = (hash ^ value) * 1099511628211U; }
  bool operator==(const Digest&) const = default;
};

Digest read_all(fuzz::Input input, bool authorised, bool in_pieces, bool shared = false) {
  rtmp::ChunkReader reader;
  if (authorised) reader.set_limits(rtmp::ChunkReader::authorised());
  Digest digest;
  const auto memory = media::Payload::copy_of(input.bytes);
  if (shared) input.bytes = memory.bytes();
  if (!in_pieces) input.flags = 7;
  while (!input.bytes.empty()) {
    auto in = input.next();
    for (;;) {
      const auto message = reader.read(in, shared ? &memory : nullptr);
      if (message.has_error()) {
        digest.error = message.error();
        fuzz::check_told(digest.error);
        return digest;
      }
      if (!*message) break;
      ++digest.messages;
      digest.add((*message)->timestamp);
      digest.add(static_cast<std::uint64_t>((*message)->type));
      digest.add((*message)->chunk_stream_id);
      digest.add((*message)->stream_id);
      for (const std::byte byte : (*message)->body.bytes()) digest.add(std::to_integer<std::uint64_t>(byte));
    }
    fuzz::check(in.empty());
  }
  return digest;
}

}  // namespace

void fuzz::run(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input(data, size);
  const bool authorised = (input.flags & 8) != 0;
  const Digest at_once = read_all(input, authorised, false);
  fuzz::check(read_all(input, authorised, true) == at_once);
  fuzz::check(read_all(input, authorised, true, true) == at_once);
}
