#include "protocol/flv/error.hpp"

#include <string>

namespace simulcast::flv {

namespace {

const char* sentence(Error error) {
  switch (error) {
    case Error::truncated:
      return "an audio or video message ends before its header does";
    case Error::bad_multitrack:
      return "a multitrack message is of a type that does not exist";
    case Error::bad_config:
      return "a decoder configuration record contradicts its own lengths";
    case Error::config_too_long:
      return "a decoder configuration record is longer than 64 KiB";
    case Error::bad_metadata:
      return "stream metadata is not an object of names and values";
  }
  return "unknown FLV error";
}

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "flv"; }
  std::string message(int value) const override { return sentence(static_cast<Error>(value)); }
};

}  // namespace

const boost::system::error_category& error_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Error error) {
  return {static_cast<int>(error), error_category()};
}

}  // namespace simulcast::flv
