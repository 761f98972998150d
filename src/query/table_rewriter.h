#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/task.h"
#include "query/deleted_rows.h"
#include "query/engine.h"
#include "query/engine_thread.h"
#include "query/partition_columns.h"
#include "query/query.h"
#include "query/resolver.h"
#include "table/table.h"

namespace headrace {

/// What becomes of the rows of some files.
struct RowChange {
  std::string where;  ///< An SQL condition over the table's columns; empty: all rows.
  /// Column -> SQL expression for the rows where the condition is true. Empty: those rows go.
  std::vector<std::pair<std::string, std::string>> set;
};

/// Rows of one file that a condition is true for.
struct FileMatches {
  std::size_t file = 0;  ///< Its place among those asked about.
  std::uint64_t matches = 0;
  std::uint64_t rows = 0;
};

/// What a change of rows came to.
struct ChangedRows {
  std::uint64_t rows = 0;           ///< For which the condition is true.
  std::uint64_t files_removed = 0;  ///< In whole.
  std::uint64_t files_rewritten = 0;
  std::uint64_t files_written = 0;
};

/// Makes new data files out of the rows of a table's files, and finds the files that hold certain
/// rows: what deleting, updating and joining small files have in common. Nothing becomes visible
/// here: the files are uploaded, and the caller commits them.
///
/// Promises   Values keep their types and field ids; rows that stay are the same rows. Statistics
///            are made by Delta's rules (file_stats.h). Deleted rows of deletion vectors are left
///            out.
/// Memory     What QueryOptions allow, and a row group of a new file; beyond, sorting spills to its
///            temp folder. New files lie in `scratch` until they are uploaded, and are removed
///            then, also after a failure.
/// Errors     kInvalid for SQL that the engine refuses, in its words; kConflict if a file is gone;
///            what the stores throw. Uploaded files of a failed call stay as orphans.
/// Threads    One executor, one call at a time; the engine works on a thread of its own.
class TableRewriter {
 public:
  /// `resolver` and `random` outlive the rewriter.
  TableRewriter(QueryOptions options, TableResolver& resolver, Random& random,
                std::filesystem::path scratch);
  ~TableRewriter();
  TableRewriter(const TableRewriter&) = delete;
  TableRewriter& operator=(const TableRewriter&) = delete;

  /// A table's files, by `snapshot` of `table`, which lies in `store`. All outlive the calls.
  struct Place {
    Table& table;
    Store& store;
    const Snapshot& snapshot;
  };
  using Files = std::vector<const TableFile*>;

  /// Files that may hold rows for which `where` is true, by partition values and statistics. Throws
  /// kInvalid if it is no condition over the table's columns.
  Task<Files> candidates(Place place, std::string where);
  /// The files all of whose rows pass a condition that speaks of partition columns only; nullopt if
  /// it speaks of others. Opens none of them.
  Task<std::optional<Files>> whole_partitions(Place place, std::string where);
  /// How many rows of each file the condition is true for; files without such rows are left out.
  Task<std::vector<FileMatches>> count_matches(Place place, Files files, std::string where);
  /// The files' rows, changed, as new files of about `target_bytes`, sorted by `sort_by` within all
  /// of them. `files` have the same partition values. Files without rows are not made.
  Task<std::vector<NewFile>> rewrite(Place place, Files files, RowChange change,
                                     std::vector<std::string> sort_by, std::uint64_t target_bytes);
  /// Looks for such rows in the files, and adds to `commit` what changes them: files that hold some
  /// go, files of what becomes of their rows come. Files without any are left alone. `dry_run`
  /// writes none. Throws kInvalid, by `refuse` if there is one, before a file is written.
  Task<ChangedRows> change_rows(Place place, Files files, RowChange change, Change& commit,
                                bool dry_run = false, std::function<void()> refuse = {});
  /// hash64() of the values of a text column in each file, rising and without repeats.
  Task<std::vector<std::vector<std::uint64_t>>> text_hashes(Place place, Files files,
                                                            std::string column);
  /// A variable of the engine that conditions may use: getvariable('NAME'), a list of texts.
  Task<> set_texts(std::string name, std::vector<std::string> texts);

 private:
  struct Output;
  struct Hit;
  Task<std::vector<Hit>> hits(Place place, Files files, std::string where);
  Task<std::uint64_t> rewrite_hits(Place place, std::vector<Hit> hits, RowChange change,
                                   Change& commit);
  template <class Work>
  Task<std::invoke_result_t<Work&>> on_engine(Work work) {
    co_return co_await thread_.run(std::move(work), [this] { engine_.interrupt(); });
  }
  Task<std::string> rows_sql(Place place, Files files, std::string file_column);
  std::vector<Output> write(const std::string& sql, const Snapshot& snapshot,
                            const std::filesystem::path& folder,
                            std::optional<std::uint64_t> cut_bytes);
  Task<NewFile> upload(Place place, const Output& output, PartitionValues partition);

  QueryOptions options_;
  TableResolver& resolver_;
  Random& random_;
  std::filesystem::path scratch_;
  Engine engine_;
  PartitionColumns partitions_;
  DeletedRowsFilter deleted_;
  EngineThread thread_;  // The last: joined first.
};

}  // namespace headrace
