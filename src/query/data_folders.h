#pragma once

#include <vector>

#include "store/store.h"
#include "table/table.h"

namespace headrace {

/// The columns that folders like "dt=2026-01-31/" in the keys make, if all keys have the same: as a
/// snapshot of those columns alone, whose files are the objects in their order. Values are decoded
/// (%20) and `__HIVE_DEFAULT_PARTITION__` is null; a column is of dates, whole numbers, or else
/// text. Without such columns, `partition_by` is empty.
Snapshot folder_partitions(const std::vector<ObjectInfo>& objects);

}  // namespace headrace
