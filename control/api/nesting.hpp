// How many objects and arrays of a JSON value lie within each other. Pure function.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>

namespace simulcast::control {

// 1 for an empty object or array, 0 for anything else. As deep a recursion as the value, which whoever parsed
// it has bounded.
std::size_t nesting_of(const boost::json::value& value);
std::size_t nesting_of(const boost::json::object& object);

}  // namespace simulcast::control
