#pragma once

#include <cstdint>
#include <string>

#include "format/schema.h"
#include "query/engine.h"
#include "table/table.h"

namespace headrace {

/// What the Delta log wants to know of a data file.
struct FileStats {
  std::uint64_t rows = 0;
  std::string json;  ///< {"numRecords":..,"minValues":{..},"maxValues":{..},"nullCount":{..}}
};

/// Looks at a Parquet file that was written for `snapshot`'s table: by the same rules as the files
/// of format/lines_to_parquet.h. Bounds hold for every row: text cut to 32 characters, moments to
/// milliseconds (the least downwards, the greatest upwards), none for floats where a NaN is among
/// them. The first 32 columns have statistics, or those that the table's properties say
/// (delta.dataSkippingStatsColumns, delta.dataSkippingNumIndexedCols).
FileStats file_stats(Engine& engine, const Snapshot& snapshot, const std::string& path);

}  // namespace headrace
