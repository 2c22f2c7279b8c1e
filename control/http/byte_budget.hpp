// How many bytes the connections of a server may hold altogether: answers that their clients have not taken
// yet, or requests that have not come whole yet. One connection alone may have a great deal, a thousand may
// not.
//
// Part of HttpService, on the server's thread; must outlive what it gives. What is small is not counted, so
// that ordinary requests never meet it: as many connections as there may be have kSmall each.
#pragma once

#include <cstddef>
#include <map>
#include <memory>

#include "control/http/request.hpp"

namespace simulcast::control {

class ByteBudget {
 public:
  static constexpr std::size_t kSmall = 16 * 1024;

  explicit ByteBudget(std::size_t most) : most_(most) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  // A share of it, given back when this goes.
  class Share {
   public:
    explicit Share(ByteBudget& budget) : budget_(budget) {}
    ~Share() { budget_.used_ -= bytes_; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // False: there is no room for so many, and it stays as large as it was. The first one always has room:
    // what is larger than the whole budget is let through one at a time.
    bool grow_to(std::size_t bytes);
    // The same, room or not.
    void force(std::size_t bytes);

   private:
    ByteBudget& budget_;
    std::size_t bytes_ = 0;
  };

  // For a text, whatever it is that holds it; counts once while any of those is there. None: there is no
  // room.
  std::shared_ptr<const Share> hold(const Text& text, bool force = false);

  bool full() const { return used_ >= most_; }
  std::size_t used() const { return used_; }

 private:
  const std::size_t most_;
  std::size_t used_ = 0;
  std::map<const std::string*, std::weak_ptr<const Share>> held_;
};

}  // namespace simulcast::control
