#include "control/api/routes.hpp"

#include <array>

#include "control/api/alerting.hpp"
#include "control/api/health.hpp"
#include "control/api/live_inputs.hpp"
#include "control/api/observers.hpp"
#include "control/api/openapi.hpp"
#include "control/api/output_test.hpp"
#include "control/api/outputs.hpp"

namespace simulcast::control {

namespace {

constexpr std::array kAccountRoutes{
    Route{"GET", "/alerting/v3/destinations/webhooks", list_webhooks},
    Route{"POST", "/alerting/v3/destinations/webhooks", create_webhook},
    Route{"GET", "/alerting/v3/destinations/webhooks/{id}", get_webhook},
    Route{"PUT", "/alerting/v3/destinations/webhooks/{id}", update_webhook},
    Route{"DELETE", "/alerting/v3/destinations/webhooks/{id}", delete_webhook},
    Route{"GET", "/alerting/v3/policies", list_policies},
    Route{"POST", "/alerting/v3/policies", create_policy},
    Route{"GET", "/alerting/v3/policies/{id}", get_policy},
    Route{"PUT", "/alerting/v3/policies/{id}", update_policy},
    Route{"DELETE", "/alerting/v3/policies/{id}", delete_policy},
    Route{"GET", "/stream/events", get_events},
    Route{"GET", "/stream/live_inputs", list_inputs},
    Route{"POST", "/stream/live_inputs", create_input},
    Route{"GET", "/stream/live_inputs/{uid}", get_input},
    Route{"PUT", "/stream/live_inputs/{uid}", update_input},
    Route{"DELETE", "/stream/live_inputs/{uid}", delete_input},
    Route{"POST", "/stream/live_inputs/{uid}/enable", enable_input},
    Route{"POST", "/stream/live_inputs/{uid}/disable", disable_input},
    Route{"POST", "/stream/live_inputs/{uid}/rotate_keys", rotate_input_keys},
    Route{"GET", "/stream/live_inputs/{uid}/videos", list_input_videos},
    Route{"GET", "/stream/live_inputs/{uid}/outputs", list_outputs},
    Route{"POST", "/stream/live_inputs/{uid}/outputs", create_output},
    Route{"POST", "/stream/live_inputs/{uid}/outputs/test", test_output},
    Route{"GET", "/stream/live_inputs/{uid}/outputs/{oid}", get_output},
    Route{"PUT", "/stream/live_inputs/{uid}/outputs/{oid}", update_output},
    Route{"POST", "/stream/live_inputs/{uid}/outputs/{oid}/retry", retry_output},
    Route{"DELETE", "/stream/live_inputs/{uid}/outputs/{oid}", delete_output},
};

constexpr std::array kLocalRoutes{
    Route{"GET", "/metrics", get_metrics},
};

constexpr std::array kOpenRoutes{
    Route{"GET", "/healthz", get_health},
    Route{"GET", "/readyz", get_readiness},
    Route{"GET", "/{uid}/lifecycle", get_lifecycle},
};
constexpr std::array kDescriptionRoutes{
    Route{"GET", "/openapi.json", get_openapi},
};

// The health of the daemon is at the root too, for those who only know the base URL.
constexpr std::array kTables{
    RouteTable{"/client/v4/accounts/{account}", kAccountRoutes},
    RouteTable{"/client/v4", kOpenRoutes},
    RouteTable{"/client/v4", kDescriptionRoutes},
    RouteTable{"", kOpenRoutes},
    RouteTable{"", kLocalRoutes},
};

}  // namespace

std::span<const RouteTable> route_tables() {
  return kTables;
}

bool is_for_this_machine(const Route& route) {
  return &route == kLocalRoutes.data();
}

}  // namespace simulcast::control
