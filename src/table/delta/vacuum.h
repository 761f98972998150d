#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/clock.h"
#include "store/store.h"
#include "table/delta/delta_log.h"
#include "table/delta/table_state.h"
#include "table/table.h"

namespace headrace::delta {

/// Is a path below a table's location none of its data: hidden (`_x`, `.x`), or another format's
/// metadata? Folders of partition columns, of change data and of indexes are data whatever their
/// name begins with.
bool is_hidden(std::string_view path, const std::vector<std::string>& partition_columns);

/// Every path that a state still needs, decoded: live files, files removed at `cutoff` or after,
/// and their deletion vectors.
class NeededFiles {
 public:
  NeededFiles(const TableState& state, Time cutoff);
  bool has(std::string_view path) const;

 private:
  void add(const std::string& path, const std::optional<DeletionVector>& vector);
  void add_path(std::string path);

  std::unordered_set<std::string> paths_;
  /// Last parts of absolute paths: how they lead to this location cannot be known.
  std::unordered_set<std::string> names_;
};

/// Walks the location of a table, page by page.
class Vacuum {
 public:
  /// Gives the table as it is now.
  using Refresh = std::function<Task<const TableState*>()>;

  /// What is referred to outlives the vacuum. Files younger than `cutoff` stay.
  Vacuum(Store& store, const DeltaLog& log, VacuumOptions options, Time cutoff, Refresh refresh)
      : store_(store),
        log_(log),
        options_(std::move(options)),
        cutoff_(cutoff),
        refresh_(std::move(refresh)) {}

  Task<VacuumResult> run();

 private:
  Task<VacuumResult> pass(bool remove, bool tell);

  Store& store_;
  const DeltaLog& log_;
  VacuumOptions options_;
  Time cutoff_;
  Refresh refresh_;
};

/// What the store's clock shows: the time of an object written for it, and removed again.
Task<Time> store_time(Store& store, ObjectKey scratch);

/// Takes a table away. `known` is null if its log cannot be read.
Task<DropResult> drop_table(Store& store, const DeltaLog& log, const TableState* known,
                            std::string_view data_suffix, bool dry_run);

}  // namespace headrace::delta
