#include "ctl/answer_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>

#include "config/api_nesting.hpp"
#include "config/visible_text.hpp"

namespace simulcast::ctl {

namespace json = boost::json;

json::value parse_answer(std::string_view text, boost::system::error_code& error) {
  json::parse_options options;
  options.max_depth = config::kMaxAnswerNesting;
  return json::parse(text, error, {}, options);
}

json::value parse_answer(std::string_view text) {
  boost::system::error_code error;
  json::value value = parse_answer(text, error);
  if (error) throw boost::system::system_error(error);
  return value;
}

std::string document_of(const json::value& value) {
  return config::visible_text(json::serialize(value));
}

}  // namespace simulcast::ctl
