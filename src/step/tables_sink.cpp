#include "step/tables_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/crash_point.h"
#include "step/side_by_side.h"

namespace headrace {
namespace {

constexpr int kAttempts = 20;  // Of a commit that other writers stand in the way of.
constexpr std::size_t kSideBySide = 8;

/// Is it the last word on this batch? Else another try may end otherwise.
bool is_refusal(const Error& error) {
  return error.kind() == ErrorKind::kInvalid || error.kind() == ErrorKind::kCorrupt;
}

/// The columns of new files and of those that are left of old ones.
Schema columns_of_both(Schema added, const Schema& there) {
  for (const Field& field : there.fields) {
    if (added.find(field.name) == nullptr) added.fields.push_back(field);
  }
  return added;
}

}  // namespace

void TablesPrepared::close() {
  std::erase_if(batch.tables, [](const TableBatch::One& one) {
    return one.append.files.empty() && one.outdated.empty();
  });
  empty = batch.tables.empty();
  if (!empty) plan = encode(batch);
}

TablesSink::TablesSink(Catalog& catalog, StepServices services, TableSinkLimits limits)
    : catalog_(catalog), services_(services), limits_(std::move(limits)) {}

Sink::Limits TablesSink::limits() const {
  return {limits_.commit_bytes, limits_.commit_every, limits_.commit_tasks};
}

Task<std::string> TablesSink::commit(Prepared& prepared) {
  const TableBatch& batch = static_cast<TablesPrepared&>(prepared).batch;
  std::size_t files = 0;
  std::size_t unsure = 0;  // Tables that have their part, or may come to have it.
  std::int64_t version = 0;
  auto commit_it = [&](std::size_t i) -> Task<> {
    ++unsure;
    try {
      version = co_await commit_one(batch.tables[i]);
    } catch (const Error& error) {
      if (is_refusal(error) || error.kind() == ErrorKind::kConflict) --unsure;
      throw error.during("table " + batch.tables[i].table);
    }
    files += batch.tables[i].append.files.size();
  };
  std::optional<Error> failure;
  try {
    co_await side_by_side(services_.executor, batch.tables.size(), kSideBySide, commit_it);
  } catch (const Error& error) {
    failure = error;
  }
  if (failure && unsure == 0) prepared.plan.clear();
  if (failure) throw *failure;
  const std::string what = fmt::format("{} rows in {} files", batch.rows, files);
  if (batch.tables.size() == 1) co_return fmt::format("version {}, {}", version, what);
  co_return fmt::format("{} of {} tables", what, batch.tables.size());
}

/// The version that it is in now.
Task<std::int64_t> TablesSink::commit_one(const One& one) {
  std::int64_t version = 0;
  if (one.outdated.empty()) {
    version = (co_await catalog_.open(one.table).append(one.append)).version;
  } else {
    version = (co_await change(one)).version;
  }
  crash_point("tables.committed");
  if (limits_.committed) limits_.committed(one.table, one.append.files.size());
  co_return version;
}

/// New rows come and the older ones of their objects go, in one commit. Which files these are in is
/// looked for anew when another writer was faster.
Task<ChangeResult> TablesSink::change(const One& one) {
  Table& table = catalog_.open(one.table);
  Store& store = services_.stores.at(catalog_.config_of(one.table)->store);
  for (int attempt = 1;; ++attempt) {
    Change change;
    change.app_id = one.append.app_id;
    change.seq = one.append.seq;
    change.add = one.append.files;
    change.schema = one.append.schema;
    const auto snapshot = co_await table.snapshot();
    if (!snapshot && change.add.empty()) co_return ChangeResult{};
    if (snapshot) {
      if (next_seq(snapshot, change.app_id) > change.seq) {
        co_return ChangeResult{.version = snapshot->version, .already_done = true};
      }
      co_await objects().take_out(table, store, *snapshot, one.outdated, change);
      // If there is nothing to do there is nothing to remember either: done again, it is the same.
      if (change.add.empty() && change.remove.empty()) {
        co_return ChangeResult{.version = snapshot->version};
      }
      change.schema =
          change.add.empty() ? Schema{} : columns_of_both(one.append.schema, snapshot->schema);
      change.read_version = snapshot->version;
      change.read = {.kind = ReadScope::Kind::kTable};
    }
    try {
      co_return co_await table.change(std::move(change));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict || attempt == kAttempts) throw;
    }
  }
}

TableObjects& TablesSink::objects() {
  if (!limits_.rows) {
    throw Error(ErrorKind::kInvalid,
                "a batch of before has rows of objects to replace or remove, and the route follows "
                "its objects no more");
  }
  if (!objects_) objects_ = std::make_unique<TableObjects>(*limits_.rows);
  return *objects_;
}

Task<bool> TablesSink::resolve(Bytes plan) {
  const auto batch = decode_table_batch(plan);
  if (!batch) co_return false;  // Of another kind of sink, which the route had before.
  std::size_t done = 0;
  std::optional<Error> refused;
  for (const One& one : batch->tables) {
    // As long as all can be done anew, nothing is begun after a refusal.
    if (refused && done == 0) break;
    try {
      co_await finish_one(one);
      ++done;
    } catch (const Error& error) {
      const Error told = error.during("table " + one.table);
      if (!is_refusal(error)) throw told;
      refused = told;
    }
  }
  if (!refused) co_return true;
  if (done == 0) {
    for (const One& one : batch->tables) done += co_await landed_after_all(one) ? 1 : 0;
    if (done == 0) co_return false;
    if (done == batch->tables.size()) co_return true;
  }
  throw Error(ErrorKind::kTransient,
              fmt::format("{} of {} tables have their rows of a batch, and another refuses its "
                          "own: {}; the batch and those after it wait until it takes them, or "
                          "until the stack has none of these tables, for then it is done anew",
                          done, batch->tables.size(), refused->what()));
}

Task<> TablesSink::finish_one(const One& one) {
  Table& table = catalog_.open(one.table);
  if (co_await table.last_txn(one.append.app_id) >= one.append.seq) co_return;
  if (one.only_numbered) {
    throw Error(ErrorKind::kInvalid, "a plan of an earlier version names no files");
  }
  co_await check_files(table, one);
  co_await commit_one(one);
}

/// A plan may have waited for longer than a vacuum spares files that no version has.
Task<> TablesSink::check_files(Table& table, const One& one) {
  Store& store = services_.stores.at(catalog_.config_of(one.table)->store);
  auto check = [&](std::size_t i) -> Task<> {
    const ObjectKey key = table.key_of(one.append.files[i].path);
    if (co_await store.head(key)) co_return;
    throw Error(ErrorKind::kInvalid,
                fmt::format("{} is gone, which waited for its commit", key.text()));
  };
  co_await side_by_side(services_.executor, one.append.files.size(), kSideBySide, check);
}

/// Did a commit that the table refuses now land before? If not, it never will: the version that it
/// may be on its way to is taken. Throws kTransient as long as that cannot be made sure of.
Task<bool> TablesSink::landed_after_all(const One& one) {
  Table* table = nullptr;
  try {
    table = &catalog_.open(one.table);
  } catch (const Error&) {
    co_return false;  // The stack has it no more.
  }
  std::optional<Error> failure;
  try {
    if (!co_await table->snapshot()) co_return false;
    co_await table->change({.operation = "CLOSE BATCH"});
    co_return co_await table->last_txn(one.append.app_id) >= one.append.seq;
  } catch (const Error& error) {
    failure = error;
  }
  if (!is_refusal(*failure) && failure->kind() != ErrorKind::kConflict) throw *failure;
  throw Error(ErrorKind::kTransient,
              fmt::format("table {}: whether a batch was committed cannot be told; the route waits "
                          "until the table can be written, or is in the stack no more: {}",
                          one.table, failure->what()));
}

}  // namespace headrace
