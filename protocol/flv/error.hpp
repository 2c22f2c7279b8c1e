// What can be wrong with an FLV tag body, with a sentence for each.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace simulcast::flv {

enum class Error {
  truncated = 1,
  bad_multitrack,
  bad_config,
  config_too_long,
  bad_metadata,
};

const boost::system::error_category& error_category();
boost::system::error_code make_error_code(Error error);

}  // namespace simulcast::flv

template <>
struct boost::system::is_error_code_enum<simulcast::flv::Error> : std::true_type {};
