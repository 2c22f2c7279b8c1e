// Inputs and their outputs as the API's records, kept up to date by its events.
//
// Of one input, or of all that are live or have been since this began. An event that is older than the
// record, as can happen right after it was fetched, changes nothing.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace simulcast::ctl {

class LiveView {
 public:
  struct Record {
    boost::json::object input;
    boost::json::array outputs;
  };
  // Gives the record that the API has; nothing: the input is not there.
  using Fetch = std::function<std::optional<Record>(const std::string& uid)>;

  // With `wanted`, of this input only, live or not.
  LiveView(Fetch fetch, std::string wanted) : fetch_(std::move(fetch)), wanted_(std::move(wanted)) {}

  // Everything anew: the events begin, again.
  void begin();
  // Throws boost::system::system_error or std::exception when `data` is not what the API sends.
  void apply(std::string_view event, std::string_view data);

  const std::map<std::string, Record>& records() const { return records_; }

 private:
  void fetch(const std::string& uid);
  void take_stats(const boost::json::object& data);

  const Fetch fetch_;
  const std::string wanted_;
  std::map<std::string, Record> records_;  // by the input's uid
};

}  // namespace simulcast::ctl
