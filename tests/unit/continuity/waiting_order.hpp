// Keeps the workshop's thread busy until it is let go.
#pragma once

#include <latch>
#include <memory>

#include "continuity/workshop.hpp"

namespace simulcast::test {

class WaitingOrder final : public continuity::Order {
 public:
  void let_go() { latch_.count_down(); }

 private:
  void make(continuity::Silences&) override { latch_.wait(); }
  std::latch latch_{1};
};

}  // namespace simulcast::test
