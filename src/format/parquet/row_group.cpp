#include "format/parquet/row_group.h"

namespace headrace::parquet_file {
namespace {

constexpr std::size_t kLargeColumn = 1u << 20;

}  // namespace

RowGroup encode_row_group(Columns& columns, const FileLayout& layout, ChunkWriter& writer) {
  RowGroup group;
  group.meta.rows = static_cast<std::int64_t>(columns.rows());
  group.meta.chunks.reserve(layout.leaves.size());
  for (const LeafLayout& leaf : layout.leaves) {
    Column& column = columns.at(leaf.node);
    Bounds bounds;
    group.meta.chunks.push_back(writer.write(columns, column, leaf, group.bytes, bounds));
    if (leaf.indexed >= 0) {
      ColumnStats& stats = group.stats.emplace_back();
      stats.column = static_cast<std::size_t>(leaf.indexed);
      stats.present = column.values();
      stats.least_text = bounds.least_text;
      stats.most_text = bounds.most_text;
      stats.bounds = bounds;
      stats.bounds.least_text = stats.bounds.most_text = {};
    }
    // What has been written makes room for the bytes to come, where that is worth growing anew.
    if (column.bytes.bytes() >= kLargeColumn) column.bytes.release();
  }
  for (const auto& [node, place] : layout.lists) {
    Column& list = columns.at(node);
    columns.complete(list);
    ColumnStats& stats = group.stats.emplace_back();
    stats.column = place;
    stats.present = rows_with(list);
  }
  return group;
}

}  // namespace headrace::parquet_file
