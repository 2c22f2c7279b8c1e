// Reads the members of a JSON object of a request, one by one, and notes what is wrong with them.
//
// Every asked-for member that is there with the wrong type or value becomes a fault with its JSON pointer; so
// does a missing one that is required. All faults of a body are told at once. What nobody asked for becomes a
// notice. A member that is null is of the wrong type, except where the caller asks is_null() first.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/http/envelope.hpp"
#include "control/http/faults.hpp"

namespace simulcast::control {

struct Findings {
  std::vector<Fault> faults;
  std::vector<Notice> notices;

  void add(Problem problem, std::string message, std::string pointer) {
    faults.push_back({problem, std::move(message), std::move(pointer)});
  }
  void throw_if_faulty() const {
    if (!faults.empty()) throw RequestError(faults);
  }
};

class Members {
 public:
  // Both must outlive this. `pointer`: where `object` stands in the body; empty for the body itself.
  Members(const boost::json::object& object, Findings& findings, std::string pointer = {});
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  void require(std::string_view name);
  bool is_null(std::string_view name);

  // Empty (or null) when the member is absent or at fault.
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::int64_t> whole_number(std::string_view name, std::int64_t min, std::int64_t max,
                                           Problem outside = Problem::bad_value);
  // Without control characters, which have no place in any of our texts, and at most `max_bytes` long.
  std::optional<std::string> text(std::string_view name, std::size_t max_bytes);
  std::optional<std::string> one_of(std::string_view name, std::initializer_list<std::string_view> values);
  // At most `max_items` of them.
  std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t max_bytes,
                                                std::size_t max_items);
  const boost::json::object* object(std::string_view name);
  const boost::json::array* array(std::string_view name);

  // To be called last: notices for the members that nothing above has asked for.
  void report_unknown();

  std::string pointer_to(std::string_view name) const;

 private:
  const boost::json::value* find(std::string_view name);
  void wrong_type(std::string_view name, std::string_view wanted, const boost::json::value& value);
  bool good_text(std::string_view name, const std::string& pointer, const boost::json::value& value,
                 std::size_t max_bytes);

  const boost::json::object& object_;
  Findings& findings_;
  std::string pointer_;
  std::vector<std::string_view> asked_;
};

}  // namespace simulcast::control
