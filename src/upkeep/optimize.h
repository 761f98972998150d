#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/task.h"
#include "query/table_rewriter.h"
#include "table/table.h"

namespace headrace {

/// What files and rows a table had and has.
struct TableSize {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> rows;  ///< nullopt if a file's writer did not count them.
};
TableSize size_of(const Snapshot& snapshot);

struct OptimizeOptions {
  /// New files are about this large; 0: as delta.targetFileSize says, else 512 MiB.
  std::uint64_t target_bytes = 0;
  /// Files below this are joined; 0 is three quarters of the target.
  std::uint64_t small_bytes = 0;
  std::vector<std::string> sort_by;  ///< Columns; then whole partitions are written anew, sorted.
  std::string where;     ///< A condition on partition columns: only these are looked at.
  bool dry_run = false;  ///< Only say what would be done.
  std::uint64_t commit_bytes = 4ull << 30;  ///< A commit takes in about this much of old files.
};

struct OptimizeReport {
  TableSize before;
  TableSize after;
  std::int64_t version = 0;  ///< The newest, after all.
  std::uint64_t commits = 0;
  std::uint64_t files_joined = 0;  ///< Old files that were replaced, or would be.
  std::uint64_t bytes_joined = 0;
  std::uint64_t files_written = 0;  ///< With dry_run: at least.
};

/// Files of one partition that become one or a few.
using FileGroup = std::vector<const TableFile*>;

/// Which of `files` are to be joined with which. Pure; `target_bytes` is not 0.
std::vector<FileGroup> plan_optimize(const std::vector<const TableFile*>& files,
                                     const OptimizeOptions& options);

/// Joins the small files of each partition. Rows, their types and values stay as they are; readers
/// and writers of the table are not held up. Throws kConflict if other writers kept removing the
/// files that were to be joined; what was committed before that stays.
Task<OptimizeReport> optimize(TableRewriter& rewriter, Table& table, Store& store,
                              OptimizeOptions options);

}  // namespace headrace
