// The list of all inputs as the API shows it, kept so that asking for it costs no walk through the store:
// with ten thousand inputs that would hold up everything else on the control thread.
//
// Owned by the Api. Kept is the text of each item, save for its status, which the engine knows. Whoever
// writes an input says so; its item is then made anew when the list is asked for. An answer that somebody is
// still being sent is given to the next one as well, as long as nothing in it is another and for kShared at
// most (it says when an encoder was last seen): sixty clients that do not read cost one list.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/engine.hpp"
#include "control/http/request.hpp"
#include "control/store/store.hpp"

namespace simulcast::control {

class InputList {
 public:
  // Beyond so many changes that nobody has asked for, all is read anew.
  static constexpr std::size_t kMaxStale = 10'000;
  static constexpr std::chrono::seconds kShared{1};

  // This input was created, changed or deleted in the store.
  void changed(const std::string& uid);

  // {"liveInputs": [...], "range": 0, "total": n} in the envelope of success. Throws StoreError, and then
  // knows what it knew before.
  Text answer(Store& store, const Engine& engine, std::string_view account, Timestamp now);

 private:
  struct Item {
    std::string uid;
    std::string text;  // up to the value of "status"; empty: deleted
  };

  std::string text(const Engine& engine) const;
  void load(Store& store, std::string_view account);
  void refresh(Store& store, std::string_view account);
  void drop_deleted();

  bool loaded_ = false;
  std::vector<Item> items_;  // in the order of creation
  std::unordered_map<std::string, std::size_t> position_;
  std::size_t deleted_ = 0;
  std::weak_ptr<const std::string> last_;
  Timestamp last_made_{};
  std::uint64_t input_changes_ = 0;  // of the engine, when it was made
  std::deque<std::string> stale_;    // in the order of the changes, which is that of creation
};

}  // namespace simulcast::control
