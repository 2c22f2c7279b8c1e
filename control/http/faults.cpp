#include "control/http/faults.hpp"

#include <algorithm>
#include <array>

namespace simulcast::control {

namespace {

constexpr std::array kRows{
    ProblemRow{Problem::bad_credentials, 401, 10000},
    ProblemRow{Problem::forbidden, 403, 10000},
    ProblemRow{Problem::unknown_path, 404, 7003},
    ProblemRow{Problem::not_found, 404, 10003},
    ProblemRow{Problem::not_json, 400, 10004},
    ProblemRow{Problem::bad_value, 400, 10005},
    ProblemRow{Problem::bad_output_url, 400, 10010},
    ProblemRow{Problem::bad_retention, 400, 10060},
    ProblemRow{Problem::bad_method, 405, 10005},
    ProblemRow{Problem::too_many_outputs, 400, 10013, true},
    ProblemRow{Problem::used_idempotency_key, 409, 10013, true},
    ProblemRow{Problem::on_the_air, 409, 10005, true},
    ProblemRow{Problem::too_many_requests, 429, 10016},
    ProblemRow{Problem::bad_http, 400, 10005},
    ProblemRow{Problem::request_timeout, 408, 10005},
    ProblemRow{Problem::body_too_large, 413, 10005},
    ProblemRow{Problem::header_too_large, 431, 10005},
    ProblemRow{Problem::internal, 500, 10000},
    ProblemRow{Problem::not_ready, 503, 10000},
    ProblemRow{Problem::no_room, 503, 10016},
    ProblemRow{Problem::storage_full, 507, 10000},
};

// The table is looked up by position.
static_assert(std::ranges::all_of(kRows, [](const ProblemRow& row) {
  return &row - kRows.data() == static_cast<std::ptrdiff_t>(row.problem);
}));

}  // namespace

const ProblemRow& row_of(Problem problem) {
  return kRows.at(static_cast<std::size_t>(problem));
}

}  // namespace simulcast::control
