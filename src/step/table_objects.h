#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/signal.h"
#include "core/task.h"
#include "event/event.h"
#include "query/table_rewriter.h"
#include "table/table.h"

namespace headrace {

/// How the rows of an object are found again in a table: the value of their column `_object`,
/// "store://bucket/key".
std::string provenance_of(const Event& event);

/// Takes the rows of objects out of a table whose rows have the column `_object`.
///
/// A file is read only if its statistics allow such rows, and, of its column `_object`, only once:
/// which objects it has is then remembered, since files never change. Only files that really hold
/// such rows are rewritten.
///
/// Memory   `index_bytes` for what is remembered; beyond, the files longest unused are forgotten
///          and read anew when needed. The engine's own is made when there is something to look
///          for.
/// Threads  One executor; calls take turns.
class TableObjects {
 public:
  struct Services {
    TableResolver& resolver;
    Random& random;
    QueryOptions engine;
    std::filesystem::path scratch;
    std::size_t index_bytes = 64u << 20;
  };

  /// What `services` refer to outlives this.
  explicit TableObjects(Services services) : services_(std::move(services)) {}

  /// Adds to `commit` what takes the rows of these objects out of the table's version `snapshot`.
  Task<ChangedRows> take_out(Table& table, Store& store, const Snapshot& snapshot,
                             std::vector<std::string> objects, Change& commit);

 private:
  struct Known {
    std::vector<std::uint64_t> objects;  // Hashes, rising.
    std::uint64_t used = 0;
  };
  using Files = TableRewriter::Files;

  Task<ChangedRows> take_out_now(TableRewriter::Place place, std::vector<std::string> objects,
                                 Change& commit);
  Task<Files> files_with(TableRewriter::Place place, const std::vector<std::string>& objects);
  void forget_old();
  TableRewriter& rewriter();

  Services services_;
  Slots turns_{1};
  std::unique_ptr<TableRewriter> rewriter_;
  std::map<std::string, Known> index_;  // By the files' places in the store.
  std::size_t index_size_ = 0;          // Hashes in it.
  std::uint64_t uses_ = 0;
};

/// May a file with these statistics hold rows of one of the objects, which are sorted? Pure.
bool may_hold_objects(const TableFile& file, const std::vector<std::string>& objects);

}  // namespace headrace
