#include "control/http/request.hpp"

#include <boost/algorithm/string/predicate.hpp>

namespace simulcast::control {

std::vector<std::string_view> Request::header(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : headers) {
    if (boost::algorithm::iequals(key, name, std::locale::classic())) values.emplace_back(value);
  }
  return values;
}

}  // namespace simulcast::control
