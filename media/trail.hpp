// The live inputs that a stream has come through on its way, oldest first, of this daemon and of others: what
// each relay tells the next one, so that a stream that comes back is known for what it is.
//
// A plain value, any thread. What peers say of it is taken as a hint against accidents, not as a proof: a
// wrong one gets nobody but its own sender refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace simulcast::media {

class Trail {
 public:
  using Mark = std::uint64_t;  // of one live input; tells nothing about it
  static constexpr std::size_t kLongest = 16;

  bool contains(Mark mark) const;
  bool full() const { return marks_.size() >= kLongest; }
  // Only while it is not full.
  void append(Mark mark) { marks_.push_back(mark); }
  const std::vector<Mark>& marks() const { return marks_; }

  // 16 hexadecimal digits for each, with commas. What is no trail is read as an empty one.
  std::string text() const;
  static Trail parse(std::string_view text);

  bool operator==(const Trail&) const = default;

 private:
  std::vector<Mark> marks_;
};

}  // namespace simulcast::media
