#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/task.h"
#include "query/render.h"
#include "query/resolver.h"

namespace headrace {

struct QueryOptions {
  std::uint64_t memory_bytes = 1ull << 30;  ///< What operators may hold; beyond, they spill.
  int threads = 2;                          ///< The engine's own, besides the one that waits.
  std::filesystem::path temp_folder;        ///< Where it spills; empty: nowhere, it fails instead.
  std::uint64_t temp_bytes = 10ull << 30;   ///< Most that is spilled.
  std::filesystem::path working_folder;  ///< Relative paths start here; empty: the process's own.
  bool prune = true;                     ///< Skip files that cannot hold matching rows.
};

/// What one table, dataset, URL or path in FROM came to.
struct SourceReport {
  std::string name;                     ///< As written in the SQL.
  std::optional<std::int64_t> version;  ///< Of a Delta table.
  std::size_t files_total = 0;
  std::size_t files_read = 0;  ///< Handed to the engine; the others cannot match.
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_read = 0;
};

/// Rows in the order they came: `cells` holds columns().size() cells per row.
struct RowBatch {
  std::size_t rows = 0;
  std::vector<Cell> cells;
};

/// The rows of one statement as they are computed. Refers to its Query, which outlives it; the next
/// run() of that Query ends it.
class QueryResult {
 public:
  virtual ~QueryResult() = default;
  virtual const std::vector<Column>& columns() const = 0;
  virtual const std::vector<SourceReport>& sources() const = 0;
  /// Some more rows, at most 2,048; nullopt at the end.
  virtual Task<std::optional<RowBatch>> next() = 0;
};

/// SQL by an engine of its own: one database in memory, one connection, so that SET and temporary
/// tables last from statement to statement.
///
/// FROM      A name is a table or dataset of the stack; a quoted URL or path is a Delta table where
///           there is a `_delta_log`, else the files under it. `name AT (VERSION => 3)` and
///           `name AT (TIMESTAMP => '2026-01-31')` read a Delta table as it was. Each statement
///           sees one version of each table, the newest when it started.
/// Pruning   Files whose partition values or statistics rule out the WHERE clause are not opened.
///           It never changes a result. Missing statistics rule out nothing.
/// Values    Numbers, booleans, lists, structs and maps are JSON literals, exact at any size; all
///           else is text as the engine casts it. TIMESTAMP WITH TIME ZONE is shown in UTC.
/// Threads   Called from one executor, where tables are resolved; the engine works on a thread of
///           its own, so the executor is never held.
/// Stopping  Cancelling the awaiting task, or interrupt() from any thread, ends a statement with
///           kCancelled.
/// Errors    kInvalid with the engine's own message and caret for bad SQL and bad data; kTransient
///           when memory or disk ran out; whatever the resolver and the stores throw.
class Query {
 public:
  /// `resolver`, `clock` and `random` outlive the Query.
  Query(QueryOptions options, TableResolver& resolver, Clock& clock, Random& random);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Runs one statement up to its first rows. Throws kInvalid for none or more than one.
  Task<std::unique_ptr<QueryResult>> run(std::string sql);

  /// Runs one statement and gives all its rows to `writer` (made from its columns by `make`).
  using MakeWriter = std::function<std::unique_ptr<RowWriter>(const std::vector<Column>&)>;
  Task<std::vector<SourceReport>> run_to(std::string sql, MakeWriter make);

  /// Ends the running statement soon, if one runs. Any thread; safe in no signal handler.
  void interrupt();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A script cut at the semicolons that end its statements; strings, quoted names, comments and
/// $$ bodies are respected, empty statements left out.
std::vector<std::string> split_statements(std::string_view sql);

}  // namespace headrace
