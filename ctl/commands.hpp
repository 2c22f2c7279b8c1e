// What the command line can do, one function a command. They print to `out` and throw CommandError.
#pragma once

#include <ostream>
#include <string>

#include "ctl/api_client.hpp"

namespace simulcast::ctl {

struct Printing {
  std::ostream& out;
  bool json = false;       // the API's result as it is, one document
  bool show_keys = false;  // else stream keys and passphrases are masked
};

// input_commands.cpp
void list_inputs(ApiClient& api, const Printing& printing);
void show_input(ApiClient& api, const Printing& printing, const std::string& input);
void add_input(ApiClient& api, const Printing& printing, const std::string& name);
void remove_input(ApiClient& api, const std::string& input);

// output_commands.cpp
struct NewOutput {
  std::string input;
  std::string url;
  std::string stream_key;
  std::string name;
  bool enabled = true;
};
void list_outputs(ApiClient& api, const Printing& printing, const std::string& input);
void add_output(ApiClient& api, const Printing& printing, const NewOutput& output);
void remove_output(ApiClient& api, const std::string& input, const std::string& output);
void set_output_enabled(ApiClient& api, const Printing& printing, const std::string& input,
                        const std::string& output, bool enabled);
void retry_output(ApiClient& api, const Printing& printing, const std::string& input,
                  const std::string& output);
// Of an output that is there, or of an address and a key. False: it would not take the stream.
bool test_output(ApiClient& api, const Printing& printing, const std::string& input,
                 const std::string& output);
bool test_destination(ApiClient& api, const Printing& printing, const NewOutput& destination);

// watch.cpp: until SIGINT. On a terminal a table that is renewed each second, else a line for each change.
void watch(ApiClient& api, const Printing& printing, const std::string& input, bool on_terminal);

// The result with its secrets masked, unless they are asked for.
boost::json::value presentable(boost::json::value result, const Printing& printing);

}  // namespace simulcast::ctl
