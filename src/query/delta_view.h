#pragma once

#include <optional>
#include <string>
#include <vector>

#include "query/engine.h"
#include "query/partition_columns.h"
#include "table/table.h"

namespace headrace {

/// "BIGINT", "STRUCT("a" VARCHAR, "b" DATE[])": a column's type for the engine.
std::string sql_type(const DataType& type);

/// A path that the engine takes for one file: outside of URLs, characters that it would expand are
/// written so that they stand for themselves.
std::string literal_path(const std::string& path);

/// The SELECT that gives the rows of some files of a Delta table, columns typed and ordered as in
/// its schema: columns that a file lacks are null, partition columns come from the log. `files` are
/// those of `snapshot` that are read and `paths` where the engine finds them, in the same order;
/// `variable` names the engine's variable that takes the paths.
std::string delta_rows_sql(Engine& engine, PartitionColumns& partitions, const Snapshot& snapshot,
                           const std::vector<const TableFile*>& files,
                           const std::vector<std::string>& paths, const std::string& variable);

}  // namespace headrace
