#include "protocol/mpegts/datagram_writer.hpp"

#include <cstring>
#include <utility>

namespace simulcast::mpegts {

void DatagramWriter::begin_unit(media::Time time, bool join_point, bool counted) {
  if (join_point) cut();
  unit_time_ = time;
  unit_join_point_ = join_point;
  unit_counted_ = counted;
}

void DatagramWriter::open() {
  room_ = slab_.room(kMaxDatagram);
  current_ = {{}, unit_time_, std::exchange(unit_join_point_, false), 0};
}

void DatagramWriter::append(std::span<const std::byte, kPacketSize> packet, bool starts_unit) {
  if (filled_ == 0) open();
  std::memcpy(room_.data() + filled_, packet.data(), kPacketSize);
  filled_ += kPacketSize;
  if (starts_unit && unit_counted_) ++current_.units;
  if (filled_ == kMaxDatagram) cut();
}

void DatagramWriter::cut() {
  if (filled_ == 0) return;
  current_.bytes = slab_.take(std::exchange(filled_, 0));
  complete_.push_back(std::move(current_));
}

}  // namespace simulcast::mpegts
