#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/task.h"
#include "query/engine.h"
#include "table/table.h"

namespace headrace {

/// Row numbers of one data file, rising, that are no rows of the table any more; null is none.
using DeletedRows = std::shared_ptr<const std::vector<std::uint64_t>>;

/// The deleted rows of these files, in their order; empty if none has any. Throws kCorrupt, naming
/// the file, for a deletion vector that cannot be read.
Task<std::vector<DeletedRows>> read_deleted_rows(Table& table, std::vector<const TableFile*> files);

/// Leaves out of SQL the rows that the deletion vectors of a Delta table name: a function of a
/// file's index in the list that is read and of a row's number in it. A join would hold them twice.
///
/// Threads  add() and clear() between statements; the function runs on the engine's threads.
class DeletedRowsFilter {
 public:
  /// `engine` outlives this, and this outlives every statement that uses its function.
  explicit DeletedRowsFilter(Engine& engine);
  ~DeletedRowsFilter();

  /// An SQL condition over `file_index` and `file_row_number`, true for the rows that stay.
  std::string add(std::vector<DeletedRows> files);
  /// Forgets all: conditions given before must not be used any more.
  void clear();

 private:
  struct Shared;

  Engine& engine_;
  std::unique_ptr<Shared> shared_;
  bool registered_ = false;
};

}  // namespace headrace
