#include "upkeep/row_changes.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/json.h"
#include "query/delta_view.h"

namespace headrace {
namespace {

constexpr int kAttempts = 10;

class RowChanger {
 public:
  RowChanger(TableRewriter& rewriter, Table& table, Store& store, const RowChange& change,
             bool dry_run)
      : rewriter_(rewriter), table_(table), store_(store), change_(change), dry_run_(dry_run) {}

  Task<RowChangeReport> run();

 private:
  bool deletes() const { return change_.set.empty(); }
  void check(const Snapshot& snapshot) const;
  void refuse_change_feed(const Snapshot& snapshot) const;
  Task<Change> decide(const Snapshot& snapshot);
  Task<> search(const Snapshot& snapshot, Change& out);

  TableRewriter& rewriter_;
  Table& table_;
  Store& store_;
  const RowChange& change_;
  bool dry_run_;
  RowChangeReport report_;
};

void RowChanger::check(const Snapshot& snapshot) const {
  for (const auto& [column, expression] : change_.set) {
    if (snapshot.schema.find(column) == nullptr) {
      throw Error(ErrorKind::kInvalid, fmt::format("no column is named {}", column));
    }
    if (is_partition_column(snapshot, column)) {
      throw Error(
          ErrorKind::kInvalid,
          fmt::format("{} parts the table, and such a column cannot be set: rows would have "
                      "to move to other files",
                      column));
    }
  }
  const auto append_only = snapshot.properties.find("delta.appendOnly");
  if (append_only != snapshot.properties.end() && append_only->second == "true") {
    throw Error(ErrorKind::kInvalid,
                "the table takes appends only: its property delta.appendOnly is true");
  }
}

void RowChanger::refuse_change_feed(const Snapshot& snapshot) const {
  const auto feed = snapshot.properties.find("delta.enableChangeDataFeed");
  if (feed == snapshot.properties.end() || feed->second != "true") return;
  throw Error(ErrorKind::kInvalid,
              "the table keeps a change data feed ('changeDataFeed'), which is not written here: "
              "only whole files can be deleted of it");
}

Task<RowChangeReport> RowChanger::run() {
  for (int attempt = 1;; ++attempt) {
    const auto snapshot = co_await table_.snapshot();
    if (!snapshot) throw Error(ErrorKind::kInvalid, "there is no table yet: it has no rows");
    check(*snapshot);
    report_ = {.before = size_of(*snapshot),
               .after = size_of(*snapshot),
               .version = snapshot->version,
               .rows = 0};
    Change change = co_await decide(*snapshot);
    if (dry_run_ || change.remove.empty()) co_return report_;
    try {
      co_await table_.change(std::move(change));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kConflict || attempt == kAttempts) throw;
      continue;
    }
    report_.committed = true;
    if (const auto now = co_await table_.snapshot()) {
      report_.after = size_of(*now);
      report_.version = now->version;
    }
    co_return report_;
  }
}

Task<Change> RowChanger::decide(const Snapshot& snapshot) {
  Change out;
  out.operation = deletes() ? "DELETE" : "UPDATE";
  JsonWriter predicate;
  predicate.begin_array().string(change_.where).end_array();
  out.parameters = {{"predicate", predicate.text()}};
  out.read = {.kind = ReadScope::Kind::kTable};
  out.read_version = snapshot.version;
  if (deletes()) {
    const auto whole =
        co_await rewriter_.whole_partitions({table_, store_, snapshot}, change_.where);
    if (whole) {
      for (const TableFile* file : *whole) {
        const auto live = file->live_rows();
        report_.rows = report_.rows && live ? std::optional(*report_.rows + *live) : std::nullopt;
        out.remove.push_back(file->path);
      }
      report_.files_removed = whole->size();
      co_return out;
    }
  }
  co_await search(snapshot, out);
  co_return out;
}

/// Finds the files that hold such rows, and writes what becomes of them.
Task<> RowChanger::search(const Snapshot& snapshot, Change& out) {
  const TableRewriter::Place place{table_, store_, snapshot};
  const TableRewriter::Files files = co_await rewriter_.candidates(place, change_.where);
  const ChangedRows changed = co_await rewriter_.change_rows(place, files, change_, out, dry_run_,
                                                             [&] { refuse_change_feed(snapshot); });
  if (!out.add.empty()) out.schema = snapshot.schema;
  report_.rows = changed.rows;
  report_.files_removed = changed.files_removed;
  report_.files_rewritten = changed.files_rewritten;
  report_.files_written = changed.files_written;
}

}  // namespace

Task<RowChangeReport> delete_rows(TableRewriter& rewriter, Table& table, Store& store,
                                  RowChangeOptions options) {
  const RowChange change{.where = options.where};
  RowChanger changer(rewriter, table, store, change, options.dry_run);
  co_return co_await changer.run();
}

Task<RowChangeReport> update_rows(TableRewriter& rewriter, Table& table, Store& store,
                                  std::vector<std::pair<std::string, std::string>> set,
                                  RowChangeOptions options) {
  const RowChange change{.where = options.where, .set = std::move(set)};
  RowChanger changer(rewriter, table, store, change, options.dry_run);
  co_return co_await changer.run();
}

}  // namespace headrace
