#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"
#include "format/parquet/chunk_writer.h"
#include "format/parquet/columns.h"
#include "format/parquet/footer.h"
#include "format/parquet/layout.h"
#include "format/parquet/stats.h"

namespace headrace::parquet_file {

/// Rows made ready to become a part of a file.
struct RowGroup {
  Bytes bytes;
  GroupMeta meta;                  ///< Its offset is still to be told.
  std::vector<ColumnStats> stats;  ///< For the Delta log.
};

/// Encodes rows that have `layout`'s columns. Touches nothing but its arguments: calls for other
/// rows may run on other threads at the same time.
RowGroup encode_row_group(Columns& columns, const FileLayout& layout, ChunkWriter& writer);

}  // namespace headrace::parquet_file
