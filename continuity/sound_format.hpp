// What a track's headers say about its sound, as far as silence has to be like it.
//
// ISO/IEC 14496-3, 1.6.2.1 (AudioSpecificConfig) and 4.4.1. Pure functions, any thread; hostile input gives
// nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "continuity/silence.hpp"

namespace simulcast::continuity {

// Of the core: a frame of HE-AAC without its extension is one of AAC-LC at half the rate. Nothing for frames
// of 960 samples, for channels that only a program config element names, and for what is no AAC.
std::optional<SoundFormat> format_of_aac(std::span<const std::byte> audio_specific_config);
// Of the frame that begins there.
std::optional<SoundFormat> format_of_mpeg_audio(std::span<const std::byte> frame);

}  // namespace simulcast::continuity
