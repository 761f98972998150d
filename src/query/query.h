#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/task.h"
#include "query/data_format.h"
#include "query/dataset_state.h"
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
  bool may_write = false;                ///< COPY ... TO, ATTACH, LOAD and their like are allowed.
};

/// What one table, dataset, URL or path in FROM came to.
struct SourceReport {
  std::string name;                     ///< As written in the SQL.
  std::optional<std::int64_t> version;  ///< Of a Delta table.
  std::size_t files_total = 0;
  std::size_t files_read = 0;  ///< Handed to the engine; the others cannot match.
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_read = 0;
  std::string drift;  ///< How objects differ from what was crawled of a dataset; empty: not at all.
};

/// "people version 12: 3 of 4000 files, 12.4 MiB of 16.1 GiB"
std::string to_string(const SourceReport& source);

/// What a statement read of remote objects by ranges, in place of copies.
struct RangeReads {
  std::size_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t of_bytes = 0;  ///< Sizes of the objects.
  std::uint64_t requests = 0;
};

/// "2 objects by ranges: 1.2 MiB of 512 MiB in 9 requests"
std::string to_string(const RangeReads& reads);

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

/// Where save() puts rows.
struct SaveTarget {
  std::string name;                       ///< A URL or a path.
  DataFormat format = DataFormat::kAuto;  ///< kAuto goes by the name.
  std::string codec = "zstd";             ///< Of Parquet: zstd, snappy, uncompressed.
  bool overwrite = false;                 ///< Replace what is there.
};

/// What save() did.
struct Saved {
  std::uint64_t rows = 0;
  std::vector<SourceReport> sources;
};

/// What a look at a dataset's objects brought.
struct Crawl {
  DatasetState state;  ///< To be kept; `place` is left empty.
  std::vector<ColumnChange> changes;
  std::uint64_t objects_read = 0;  ///< New or rewritten since the crawl before.
};

/// SQL by an engine of its own: one database in memory, one connection, so that SET and temporary
/// tables last from statement to statement.
///
/// FROM      A name is a table or dataset of the stack; a quoted URL or path is a Delta table where
///           there is a `_delta_log`, else the files under it. `name AT (VERSION => 3)` and
///           `name AT (TIMESTAMP => '2026-01-31')` read a Delta table as it was. Each statement
///           sees one version of each table, the newest when it started.
/// Pruning   Files whose partition values or statistics rule out the WHERE clause are not opened.
///           It never changes a result. Missing statistics rule out nothing. EXPLAIN has a last row
///           "files_read" that says what is left.
/// Writing   Tables, datasets and files are only read. What writes files (COPY ... TO) or loads
///           code is refused unless `may_write` is set; then COPY takes the URL of a store too.
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

  /// Runs one statement and puts its rows into one object or file, which is there as a whole or
  /// not at all. The file is written in the folder for temporary files first.
  Task<Saved> save(std::string sql, SaveTarget target);

  /// Looks at a dataset's objects: at all rows of those that the crawl before did not see, or of
  /// all (`anew`, which also forgets columns that are gone). Throws kInvalid, naming the object,
  /// for one that cannot be read, and for what is no dataset.
  Task<Crawl> crawl(std::string dataset, bool anew);

  /// What the statement that ran last read by ranges so far. Any thread.
  RangeReads range_reads() const;

  /// How much of the running statement is done, 0 to 1; nullopt if none runs or none can say. Any
  /// thread.
  std::optional<double> progress() const;

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
