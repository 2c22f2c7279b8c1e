// Packets for the tests of this folder: a body that shows when a byte of it is lost or moved.
#pragma once

#include <cstddef>
#include <vector>

#include "media/packet.hpp"

namespace simulcast::egress::test {

inline media::Packet packet(media::MediaKind kind, media::Time dts, std::size_t size, bool keyframe = false) {
  media::Packet made;
  made.kind = kind;
  made.keyframe = keyframe;
  made.dts = made.pts = dts;
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 256 + size);
  made.payload = media::Payload::copy_of(bytes);
  return made;
}

}  // namespace simulcast::egress::test
