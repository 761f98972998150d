#pragma once

#include <map>
#include <string>
#include <vector>

#include "query/dataset_state.h"
#include "query/engine.h"
#include "query/partition_columns.h"
#include "table/table.h"

namespace headrace {

// The columns of plain files: found in their rows, or known before.

/// Columns of the files whose paths the engine's variable holds, by their first rows, or by all of
/// them (`whole`); those without any value are of kUnknownType.
std::vector<TypedColumn> find_columns(Engine& engine, DataFormat format,
                                      const std::string& variable, bool whole);

/// Adds columns that are new and widens the types of those that are not; the changes, if any.
std::vector<ColumnChange> merge_columns(std::vector<TypedColumn>& columns,
                                        const std::vector<TypedColumn>& more, DataFormat format);

/// What turned `before` into `after`.
std::vector<ColumnChange> changes_between(const std::vector<TypedColumn>& before,
                                          const std::vector<TypedColumn>& after);

/// Types that the stack states take the place of those found; columns not found yet are added.
void state_types(std::vector<TypedColumn>& columns,
                 const std::map<std::string, std::string>& stated);

/// "new column x (BIGINT), y is VARCHAR and was BIGINT"
std::string to_string(const std::vector<ColumnChange>& changes);

/// Can the files be read by these names? Not where names differ only in case: the engine numbers
/// the later ones.
bool readable_by_name(const std::vector<TypedColumn>& columns);

/// The SELECT that gives the rows of files: `columns` if they are known, else what the engine
/// finds, then the partition columns of `folders`, whose `files` are those read.
std::string file_rows_sql(Engine& engine, PartitionColumns& partitions, DataFormat format,
                          const std::string& variable, const std::vector<TypedColumn>& columns,
                          const Snapshot& folders, const std::vector<const TableFile*>& files);

}  // namespace headrace
