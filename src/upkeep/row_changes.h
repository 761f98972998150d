#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/task.h"
#include "query/table_rewriter.h"
#include "table/table.h"
#include "upkeep/optimize.h"

namespace headrace {

struct RowChangeOptions {
  std::string where;     ///< An SQL condition over the table's columns; never empty.
  bool dry_run = false;  ///< Only count.
};

struct RowChangeReport {
  TableSize before;
  TableSize after;
  std::int64_t version = 0;  ///< The newest, after all.
  bool committed = false;    ///< False if there was nothing to change, and for dry_run.
  std::optional<std::uint64_t>
      rows;                         ///< Deleted or updated; nullopt if uncounted files went whole.
  std::uint64_t files_removed = 0;  ///< In whole, without being read or rewritten.
  std::uint64_t files_rewritten = 0;
  std::uint64_t files_written = 0;
};

/// Deletes the rows for which `where` is true, in one commit. Files without such rows are not
/// touched; a condition on partition columns alone removes whole files without opening them.
///
/// Errors  kInvalid for a condition that the engine refuses (in its words), and for tables that
///         take no deletes (delta.appendOnly, a change data feed); kConflict if other writers
///         changed the table too many times meanwhile.
Task<RowChangeReport> delete_rows(TableRewriter& rewriter, Table& table, Store& store,
                                  RowChangeOptions options);

/// Sets columns of the rows for which `where` is true to SQL expressions over the row, in one
/// commit. A value is cast to its column's type. Columns that part the table cannot be set. Errors
/// as above.
Task<RowChangeReport> update_rows(TableRewriter& rewriter, Table& table, Store& store,
                                  std::vector<std::pair<std::string, std::string>> set,
                                  RowChangeOptions options);

}  // namespace headrace
