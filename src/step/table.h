#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "format/lines_to_parquet.h"
#include "step/follow.h"
#include "step/object_batch.h"
#include "step/step.h"
#include "table/catalog.h"

namespace headrace {

/// `table: people` or `table: "events_{event_type}"`: the sink that loads objects of JSON lines
/// into a Delta table, exactly once. docs/architecture.md tells the order of its writes.
///
/// An object that vanished is skipped; one that changed since its event is skipped too, since the
/// change has an event of its own; deletions add no rows. Objects may be JSON lines, documents,
/// CSV, Parquet or ORC, and packed. A line that is no JSON object becomes a dead letter; what does
/// not fit a column goes to `_rescued_data`, or makes a dead letter too if the schema is fixed.
///
/// A table that follows its objects (`on_overwrite: replace`, `on_delete: remove`) loses the rows
/// of an object's older version in the commit that brings the new ones. follow.h says what counts
/// when events come late, twice or out of order. The files of older rows are looked for when the
/// batch is committed, and again whenever another writer was faster.
struct TableSinkLimits {
  std::uint64_t commit_bytes = 128u << 20;
  Duration commit_every = std::chrono::seconds(10);
  std::size_t commit_tasks = 100'000;
  std::uint64_t plain_bytes = 100ull << 30;  ///< An object may decompress to this much.
  std::set<std::string> only;  ///< The tables of a family that are filled; empty: all.
  RowPredicate keep;           ///< May be empty: all rows are wanted.
  ObjectTransform transform;   ///< May be empty: objects are loaded as they are.
  FollowConfig follow;
  bool object_column = false;                  ///< Rows get `_object`; needed to follow.
  bool line_column = false;                    ///< Rows get `_line`.
  std::optional<TableObjects::Services> rows;  ///< Needed to follow.
  /// Told of each commit, by table and files added; may be empty.
  std::function<void(const std::string&, std::uint64_t)> committed;
};

std::unique_ptr<Sink> make_table_sink(std::string table, Catalog& catalog, StepServices services,
                                      TableSinkLimits limits);

}  // namespace headrace
