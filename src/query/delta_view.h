#pragma once

#include <optional>
#include <string>
#include <vector>

#include "query/deleted_rows.h"
#include "query/engine.h"
#include "query/partition_columns.h"
#include "table/table.h"

namespace headrace {

/// "BIGINT", "STRUCT("a" VARCHAR, "b" DATE[])": a column's type for the engine.
std::string sql_type(const DataType& type);

/// A path that the engine takes for one file: outside of URLs, characters that it would expand are
/// written so that they stand for themselves.
std::string literal_path(const std::string& path);

bool is_partition_column(const Snapshot& snapshot, const std::string& column);

/// An SQL expression over `file_index` for a partition column of these files.
std::string partition_column(PartitionColumns& partitions, const Field& field,
                             const std::vector<const TableFile*>& files);

/// Some files of a Delta table that are to be read.
struct DeltaFiles {
  const Snapshot& snapshot;
  std::vector<const TableFile*> files;  ///< Of the snapshot.
  std::vector<std::string> paths;       ///< Where the engine finds them, in the same order.
  std::vector<DeletedRows> deleted;     ///< Rows that are gone, in the same order; empty: none.
};

/// What statements over Delta files need of their engine besides SQL. One lives as long as they
/// run.
struct DeltaFunctions {
  PartitionColumns& partitions;
  DeletedRowsFilter& deleted;
};

/// The SELECT that gives the rows of these files, columns typed, named and ordered as in the
/// table's schema: columns that a file lacks are null, partition columns come from the log, rows
/// that are gone are left out. `variable` names the engine's variable that takes the paths.
/// `file_column`, if it is not empty, names one more column: a file's place in `files`.
std::string delta_rows_sql(Engine& engine, DeltaFunctions functions, const DeltaFiles& files,
                           const std::string& variable, const std::string& file_column = "");

}  // namespace headrace
