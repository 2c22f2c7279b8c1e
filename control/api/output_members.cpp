#include "control/api/output_members.hpp"

#include "control/api/members.hpp"
#include "control/api/output_url.hpp"
#include "net/srt_url.hpp"

namespace simulcast::control {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxName = 255;

}  // namespace

void read_output_members(const ApiSettings& settings, const json::object& body, bool creating, Output& output,
                         Findings& findings) {
  Members members(body, findings);
  if (creating) {
    members.require("url");
    members.require("streamKey");
  }
  auto url = members.text("url", kMaxOutputUrl);
  auto stream_key = members.text("streamKey", kMaxStreamKey);
  if (const auto enabled = members.boolean("enabled")) output.enabled = *enabled;
  if (members.is_null("name")) {
    output.name.clear();
  } else if (auto name = members.text("name", kMaxName)) {
    output.name = *std::move(name);
  }
  if (const auto verify = members.boolean("verifyTls")) output.verify_tls = *verify;

  if (url) {
    std::string problem = output_url_problem(*url, settings.denied_networks);
    if (!problem.empty()) findings.add(Problem::bad_output_url, std::move(problem), "/url");
    output.url = *url;
  }
  if (stream_key) output.stream_key = *stream_key;
  if (stream_key || (url && !creating)) {
    std::string problem = stream_key_problem(output.stream_key, net::is_srt_url(output.url));
    if (!problem.empty()) findings.add(Problem::bad_value, std::move(problem), "/streamKey");
  }
  members.report_unknown();
  findings.throw_if_faulty();
}

}  // namespace simulcast::control
