#include "control/api/nesting.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace simulcast::control {

namespace json = boost::json;

std::size_t nesting_of(const json::object& object) {
  std::size_t deepest = 0;
  for (const auto& member : object) deepest = std::max(deepest, nesting_of(member.value()));
  return deepest + 1;
}

std::size_t nesting_of(const json::value& value) {
  if (const auto* object = value.if_object()) return nesting_of(*object);
  const auto* array = value.if_array();
  if (array == nullptr) return 0;
  std::size_t deepest = 0;
  for (const auto& item : *array) deepest = std::max(deepest, nesting_of(item));
  return deepest + 1;
}

}  // namespace simulcast::control
