#include "control/api/openapi.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/json/parse.hpp>
#include <set>
#include <string>

#include "control/api/routes.hpp"
#include "tests/unit/control/api_fixture.hpp"

namespace simulcast::control::test {
namespace {

std::set<std::string> described() {
  std::set<std::string> all;
  const auto description = json::parse(openapi_text());
  for (const auto& path : description.at("paths").as_object()) {
    for (const auto& method : path.value().as_object()) {
      all.insert(boost::algorithm::to_upper_copy(std::string(method.key())) + " " + std::string(path.key()));
    }
  }
  return all;
}

TEST(OpenApi, DescribesEveryRouteAndNothingElse) {
  std::set<std::string> routed;
  for (const RouteTable& table : route_tables()) {
    for (const Route& route : table.routes) {
      routed.insert(std::string(route.method) + " " + std::string(table.prefix) + std::string(route.pattern));
    }
  }
  EXPECT_EQ(described(), routed);
}

TEST(OpenApi, SaysWhichPathsNeedCredentials) {
  const auto description = json::parse(openapi_text());
  for (const auto& path : description.at("paths").as_object()) {
    for (const auto& method : path.value().as_object()) {
      const auto* security = method.value().as_object().if_contains("security");
      const bool open = security != nullptr && security->as_array().empty();
      const bool account = path.key().find("{account}") != json::string_view::npos;
      EXPECT_EQ(open, !account && path.key() != "/metrics") << path.key();
    }
  }
}

TEST(OpenApi, EveryParameterOfAPathIsDescribed) {
  const auto description = json::parse(openapi_text());
  for (const auto& path : description.at("paths").as_object()) {
    const std::string text(path.key());
    const auto in_path = std::count(text.begin(), text.end(), '{');
    for (const auto& method : path.value().as_object()) {
      std::ptrdiff_t told = 0;
      if (const auto* parameters = method.value().as_object().if_contains("parameters")) {
        for (const auto& parameter : parameters->as_array()) {
          const auto* ref = parameter.as_object().if_contains("$ref");
          if (ref == nullptr) continue;
          const std::string name =
              std::string(ref->as_string()).substr(std::string("#/components/parameters/").size());
          told += text.find("{" + name + "}") != std::string::npos ? 1 : 0;
        }
      }
      EXPECT_EQ(told, in_path) << text;
    }
  }
}

TEST_F(ApiTest, ServesItsDescription) {
  const Response response =
      Api(settings_, sqlite_, engine_, tokens_)
          .handle({.method = "GET", .target = "/client/v4/openapi.json", .headers = {}, .body = ""});
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.text(), openapi_text());
}

}  // namespace
}  // namespace simulcast::control::test
