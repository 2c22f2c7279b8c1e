// Every bound that the RTMP code puts on what a peer sends, with its reason. Sizes in bytes unless said
// otherwise.
//
// A message length on the wire has 24 bits, so kMaxMessage is also the most that can be announced.
#pragma once

#include <cstddef>
#include <cstdint>

namespace simulcast::rtmp {

// --- messages ---

// Before a publisher is authorised, and for everything a destination's server sends: commands and metadata of
// real peers stay below 4 KiB, so that a stranger can make us hold this much and no more.
inline constexpr std::size_t kMaxMessageUnauthorised = 64 * 1024;
// Bodies under assembly on all chunk streams together, before authorisation: a stranger's whole memory.
inline constexpr std::size_t kMaxPartialUnauthorised = 256 * 1024;
// For an authorised publisher: a 4K keyframe at 100 Mbit/s stays below 8 MiB.
inline constexpr std::size_t kMaxMessage = 0xFFFFFF;
// One largest message, and as much again for what is interleaved with it.
inline constexpr std::size_t kMaxPartial = 32 * 1024 * 1024;
// Commands, shared objects and unknown types carry no media and have no reason to be large, authorised or
// not.
inline constexpr std::size_t kMaxCommand = 256 * 1024;
// Types 1 to 6 are 4 to 14 bytes long; a little more is let through and ignored.
inline constexpr std::size_t kMaxControl = 64;

// --- chunks ---

// Encoders use up to six chunk streams; nginx-rtmp allows 32. Idle ones beyond this are forgotten, and a peer
// with more than this many messages begun at once is not an encoder.
inline constexpr std::size_t kMaxChunkStreams = 64;
inline constexpr std::uint32_t kDefaultChunkSize = 128;  // specification, 5.4.1
// A message is never longer, so that larger announcements (0x7fffffff is common) mean the same.
inline constexpr std::uint32_t kMaxChunkSize = 0xFFFFFF;
// A time or difference of this many milliseconds or more stands in the extended field
// (specification, 5.3.1.3).
inline constexpr std::uint32_t kExtendedTimestamp = 0xFFFFFF;
// A type 3 chunk that starts a message after a type 0 repeats that one's timestamp as its delta. Literally so
// when it can be a delta at all: beyond this many milliseconds it cannot, and 0 is meant.
inline constexpr std::uint32_t kMaxImpliedDelta = 10'000;

// --- AMF ---

inline constexpr std::size_t kMaxAmfDepth = 16;     // real metadata nests 3 deep; bounds the recursion
inline constexpr std::size_t kMaxAmfValues = 1000;  // per message; real metadata has about 40

// --- acknowledgements ---

inline constexpr std::uint32_t kDefaultAckWindow =
    2'500'000;  // what we announce, and use while the peer says nothing
inline constexpr std::uint32_t kMinAckWindow = 64 * 1024;  // a window of 1 would make us answer every byte

// --- sessions ---

// From connect to publish every known encoder sends at most ten.
inline constexpr int kMaxCommandsBeforePublish = 50;
// Application, stream name and tcUrl: signed keys of some services exceed 1 KiB.
inline constexpr std::size_t kMaxNameLength = 2048;
// A peer's own words in an error, in bytes: enough for a sentence, too little to flood a log.
inline constexpr std::size_t kMaxPeerWords = 500;

}  // namespace simulcast::rtmp
