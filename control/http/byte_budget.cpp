#include "control/http/byte_budget.hpp"

#include <utility>

namespace simulcast::control {

bool ByteBudget::Share::grow_to(std::size_t bytes) {
  if (bytes <= bytes_ || bytes <= kSmall) return true;
  const std::size_t others = budget_.used_ - bytes_;
  if (others > 0 && others + bytes > budget_.most_) return false;
  force(bytes);
  return true;
}

void ByteBudget::Share::force(std::size_t bytes) {
  if (bytes <= bytes_ || bytes <= kSmall) return;
  budget_.used_ += bytes - bytes_;
  bytes_ = bytes;
}

std::shared_ptr<const ByteBudget::Share> ByteBudget::hold(const Text& text, bool force) {
  std::erase_if(held_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<const Share>& known = held_[text.get()];
  if (auto share = known.lock()) return share;
  struct Held {
    Held(Text the_text, ByteBudget& budget) : text(std::move(the_text)), share(budget) {}
    const Text text;  // kept for as long as its address stands for it
    Share share;
  };
  const auto held = std::make_shared<Held>(text, *this);
  if (force) {
    held->share.force(text->size());
  } else if (!held->share.grow_to(text->size())) {
    return nullptr;
  }
  const std::shared_ptr<const Share> share(held, &held->share);
  known = share;
  return share;
}

}  // namespace simulcast::control
