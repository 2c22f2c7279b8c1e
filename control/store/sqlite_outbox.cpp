#include "control/store/sqlite_outbox.hpp"

#include <algorithm>
#include <utility>

#include "control/store/sqlite_rows.hpp"

namespace simulcast::control {

namespace {

std::size_t count_in(const SQLite::Column& column) {
  return static_cast<std::size_t>(column.getInt64());
}

std::size_t excess(std::size_t size, std::size_t limit) {
  return size > limit ? size - limit : 0;
}

}  // namespace

// They are the caller's until the transaction is over: one that fails leaves nothing known.
SqliteOutbox::Sizes SqliteOutbox::take_sizes() {
  if (!sizes_) {
    changed_.clear();
    Sizes sizes;
    Query query(all_sizes_);
    while (query.step()) {
      sizes[query.row().getColumn(0).getString()] = {count_in(query.row().getColumn(1)),
                                                     count_in(query.row().getColumn(2))};
    }
    return sizes;
  }
  Sizes sizes = *std::exchange(sizes_, std::nullopt);
  for (const std::string& webhook : std::exchange(changed_, {})) {
    Query query(size_);
    query.bind(webhook).step();
    const Size size{count_in(query.row().getColumn(0)), count_in(query.row().getColumn(1))};
    if (size.rows > 0) {
      sizes[webhook] = size;
    } else {
      sizes.erase(webhook);
    }
  }
  return sizes;
}

SqliteOutbox::GivenUp SqliteOutbox::push(const std::vector<Delivery>& deliveries,
                                         const OutboxLimits& limits) {
  auto transaction = database_.begin();
  Sizes sizes = take_sizes();
  for (const Delivery& delivery : deliveries) {
    if (!Query(webhook_exists_).bind(delivery.webhook).step()) continue;
    Query(insert_)
        .bind(delivery.webhook)
        .bind(SqliteDatabase::microseconds(delivery.created))
        .bind(delivery.body)
        .exec();
    Size& size = sizes[delivery.webhook];
    ++size.rows;
    size.bytes += delivery.body.size();
  }
  GivenUp given_up;
  keep_within(limits, sizes, given_up);
  for (const auto& [webhook, count] : given_up) note_given_up(webhook, count);
  transaction.commit();
  sizes_ = std::move(sizes);
  return given_up;
}

void SqliteOutbox::keep_within(const OutboxLimits& limits, Sizes& sizes, GivenUp& given_up) {
  std::size_t bytes = 0;
  for (auto& [webhook, size] : sizes) {
    const std::size_t rows_beyond = excess(size.rows, limits.rows);
    const std::size_t bytes_beyond = excess(size.bytes, limits.bytes);
    if (rows_beyond > 0 || bytes_beyond > 0) {
      given_up[webhook] += drop_oldest(webhook, size, rows_beyond, bytes_beyond);
    }
    bytes += size.bytes;
  }
  while (bytes > limits.bytes_of_all) {
    const auto fullest = std::ranges::max_element(
        sizes, {}, [](const Sizes::value_type& entry) { return entry.second.bytes; });
    const std::size_t before = fullest->second.bytes;
    given_up[fullest->first] += drop_oldest(fullest->first, fullest->second, 0, bytes - limits.bytes_of_all);
    bytes -= before - fullest->second.bytes;
  }
}

// At least so many rows and bytes, or all that there are.
std::size_t SqliteOutbox::drop_oldest(std::string_view webhook, Size& size, std::size_t rows,
                                      std::size_t bytes) {
  std::int64_t last = 0;
  Size dropped;
  {
    Query query(oldest_);
    query.bind(webhook);
    while ((dropped.rows < rows || dropped.bytes < bytes) && query.step()) {
      last = query.row().getColumn(0).getInt64();
      ++dropped.rows;
      dropped.bytes += count_in(query.row().getColumn(1));
    }
  }
  Query(remove_).bind(webhook).bind(last).exec();
  size.rows -= dropped.rows;
  size.bytes -= dropped.bytes;
  return dropped.rows;
}

void SqliteOutbox::note_given_up(std::string_view webhook, std::size_t count) {
  Query(note_given_up_).bind(static_cast<std::int64_t>(count)).bind(webhook).exec();
}

std::vector<std::string> SqliteOutbox::webhooks(std::string_view account) {
  std::vector<std::string> ids;
  Query query(waiting_);
  query.bind(account);
  while (query.step()) ids.push_back(query.row().getColumn(0).getString());
  return ids;
}

std::optional<Delivery> SqliteOutbox::next(std::string_view webhook, std::int64_t behind) {
  Query query(next_);
  if (!query.bind(webhook).bind(behind).step()) return std::nullopt;
  SQLite::Statement& row = query.row();
  return Delivery{row.getColumn(0).getInt64(), std::string(webhook),
                  Timestamp(std::chrono::microseconds(row.getColumn(1).getInt64())),
                  row.getColumn(2).getString()};
}

std::size_t SqliteOutbox::drop(std::string_view webhook, Timestamp time) {
  auto transaction = database_.begin();
  forget(webhook);
  const auto dropped = static_cast<std::size_t>(
      Query(drop_old_).bind(webhook).bind(SqliteDatabase::microseconds(time)).exec());
  if (dropped > 0) note_given_up(webhook, dropped);
  transaction.commit();
  return dropped;
}

void SqliteOutbox::remove(std::string_view webhook, std::int64_t sequence) {
  forget(webhook);
  Query(remove_).bind(webhook).bind(sequence).exec();
}

}  // namespace simulcast::control
