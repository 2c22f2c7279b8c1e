// Data messages of a broadcast: stream metadata (onMetaData) and everything else (onTextData, onCuePoint,
// ...).
//
// A publisher writes metadata as "@setDataFrame", "onMetaData", {...}: the prefix tells the server to keep
// it. It must be there when publishing and absent towards players. The bytes are passed as they came, only
// the prefix is ever added. Pure functions, any thread.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "media/payload.hpp"

namespace simulcast::flv {

struct DataKind {
  bool is_metadata = false;         // onMetaData, with or without the prefix
  bool has_set_data_frame = false;  // begins with @setDataFrame, whatever follows
};
// Never fails: what cannot be read is neither.
DataKind data_kind(std::span<const std::byte> body);

// The same payload when the prefix is there or is not called for (only metadata has it), else a new one.
media::Payload with_set_data_frame(const media::Payload& body);

// What the API shows of a stream. Codecs are FLV numbers or FourCCs, sent as number or text.
struct Metadata {
  std::optional<double> width;
  std::optional<double> height;
  std::optional<double> frame_rate;
  std::optional<double> video_data_rate;  // kbit/s
  std::optional<double> audio_data_rate;  // kbit/s
  std::optional<std::uint32_t> video_codec;
  std::optional<std::uint32_t> audio_codec;
  std::string encoder;
};
boost::system::result<Metadata> parse_metadata(std::span<const std::byte> body);

}  // namespace simulcast::flv
