// Records as the API shows them.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <vector>

#include "control/api/public_addresses.hpp"
#include "control/engine.hpp"
#include "control/store/records.hpp"

namespace simulcast::control {

// With all credentials.
boost::json::object live_input_json(const LiveInput& input, const std::optional<InputReport>& report,
                                    const std::optional<media::InputStats>& stats,
                                    const PublicAddresses& addresses);
// An item of the list: no credentials.
boost::json::object live_input_item_json(const LiveInput& input, const std::optional<InputReport>& report);

// What "status" of an input is: now and before; null before the first connection.
boost::json::value status_json(const std::optional<InputReport>& report);
boost::json::object input_status_json(const media::InputStatus& status);
boost::json::object input_stats_json(const media::InputStats& stats);
boost::json::object output_status_json(const media::OutputStatus& status);
boost::json::object output_stats_json(const media::OutputStats& stats);
boost::json::array warnings_json(const std::vector<media::Warning>& warnings);

boost::json::object output_json(const Output& output, const media::OutputStatus& status,
                                const media::OutputStats& stats, const std::vector<media::Warning>& warnings);

}  // namespace simulcast::control
