#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/engine.h"

namespace headrace {

/// Gives SQL the partition columns of Delta files, which are not in the files: functions from a
/// file's index in the list that is read to its value. Their cost per row is the same for one
/// partition and for thousands; a list in SQL is copied for every chunk, and a join is paid also
/// by queries that use no partition column.
///
/// Threads  add() and clear() between statements; the functions run on the engine's threads.
class PartitionColumns {
 public:
  /// `engine` outlives this, and this outlives every statement that uses its functions.
  explicit PartitionColumns(Engine& engine);
  ~PartitionColumns();

  /// An SQL expression over `file_index` that gives each file's value as `sql_type`. `values` are
  /// texts that cast to it, in the order of the files, of which there is at least one. Throws
  /// kInvalid if one does not cast.
  std::string add(const std::string& sql_type,
                  const std::vector<std::optional<std::string>>& values);
  /// Forgets all values: expressions given before must not be used any more.
  void clear();

 private:
  class Values;
  struct Shared;
  std::string function_for(const std::string& sql_type, duckdb_vector example);

  Engine& engine_;
  std::unique_ptr<Shared> shared_;
  std::map<std::string, std::string> functions_;  // SQL type -> name of the function.
};

}  // namespace headrace
