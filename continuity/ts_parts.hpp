// What the filler of a stream of MPEG-TS is made of: the first picture of its GOP, where its sound ends, and
// silence like it.
//
// Taken out of the lane on the stream's shard, in time that does not grow with what a publisher sends:
// payloads are held and not read. Made in the Workshop; then the filler's. Owned by a TsFiller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "continuity/pace.hpp"
#include "continuity/slate.hpp"
#include "continuity/still_picture.hpp"
#include "continuity/workshop.hpp"
#include "media/lane.hpp"

namespace simulcast::continuity {

class TsParts final : public Order {
 public:
  // What is read of the GOP: at its beginning for the picture, at its end for the sound.
  static constexpr std::size_t kMostBytes = 2 * kLargestStill;
  static constexpr std::size_t kMostDatagrams = 16'384;

  explicit TsParts(const media::Lane& lane);
  ~TsParts() override;

  // To be read. For tests.
  std::size_t datagrams() const { return datagrams_.size(); }
  std::span<const std::byte> tables() const { return tables_.bytes(); }

  struct Picture {
    std::uint16_t pid;
    std::vector<std::byte> versions[2];  // Annex B; empty: the keyframe cannot be shown
    std::optional<SlateFormat> format;
  };
  struct Sound {
    std::uint16_t pid;
    std::vector<std::byte> frame;  // as the PES packet carries it
    std::shared_ptr<const SilentFrame> silence;
    media::Time end;  // of the last frame that was sent, in the clock's 33 bits
  };
  // Once it is ready().
  std::optional<Picture> picture;
  std::vector<Sound> sounds;

 private:
  // Takes the datagrams apart.
  class Model;

  void make(Silences& silences) override;

  media::Payload tables_;
  std::vector<media::Payload> datagrams_;  // the beginning, from which a part may be left out, then the end
  std::size_t beginning_ = 0;              // of them
  std::size_t tail_ = 0;                   // from here on they are of the last moments
};

std::vector<std::byte> annex_b(const StillPicture::Units& units);

}  // namespace simulcast::continuity
