// Takes an aggregate message (type 22) apart: a run of FLV tags in one body.
//
//   tag = type u8, size u24, timestamp u24, timestamp's high byte u8, stream id u24, data, u32 size of the
//   tag
//
// The timestamps of the tags count from anywhere; the message's own belongs to the first tag. The parts share
// the body's memory. Owned by a session.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/rtmp/message.hpp"

namespace simulcast::rtmp {

class AggregateReader {
 public:
  explicit AggregateReader(Message message);

  // The next audio, video or data message, nothing at the end. Tags of other types are passed over, in
  // particular aggregates within aggregates.
  boost::system::result<std::optional<Message>> next();

 private:
  Message message_;
  std::size_t offset_ = 0;
  std::optional<std::uint32_t> first_timestamp_;
};

}  // namespace simulcast::rtmp
