#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/task.h"
#include "query/data_format.h"
#include "query/engine.h"
#include "query/resolver.h"
#include "store/store.h"

namespace headrace {

/// What lies at a place: a Delta table, or files of one format.
struct FoundData {
  DataFormat format = DataFormat::kAuto;  ///< Never kAuto.
  std::vector<ObjectInfo> files;          ///< In key order; empty for kDelta.
};

/// Looks what is at `place`: the object itself, a Delta table where there is a `_delta_log`, or the
/// objects under it; with `any_start`, also objects whose keys only start with the path. A path
/// with *, ? or [ is a pattern: * and ? stay within a folder, ** does not. Objects of size 0 and
/// those in or under names that start with "_" or "." are left out. Throws kInvalid, naming `shown`
/// and what was found, when there is nothing, when formats are mixed or unknown, or beyond a
/// million objects.
Task<FoundData> find_data(DataPlace place, std::string shown, bool any_start = false);

/// The SELECT that gives the rows of such files; `variable` is the engine's variable that holds
/// their paths.
std::string files_rows_sql(DataFormat format, const std::string& variable);

/// Paths by which the engine opens these objects, in their order: of files that hold them, or of
/// what it reads by ranges on the executor that this is awaited on.
Task<std::vector<std::string>> engine_paths(Engine& engine, TableResolver& resolver, Store& store,
                                            std::vector<ObjectKey> objects, DataFormat format);

/// Does `path` match a pattern of *, **, ? and [a-z]?
bool matches_glob(std::string_view pattern, std::string_view path);

}  // namespace headrace
