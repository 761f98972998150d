#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/object.h"
#include "core/task.h"
#include "query/resolver.h"
#include "store/store.h"

namespace headrace {

/// Copies of remote objects in a folder, for an engine that reads files. A copy is named after the
/// object's etag, so it is never old; it is fetched once and used again by later runs.
///
/// Ranges   Where the engine can do with parts of an object, one of more than kMostCopied is not
///          copied, unless a copy is there already: asking for parts of less takes as long as all.
/// Limits   Before fetching, the copies longest unused are removed until `most_bytes` hold what is
///          kept and what is to come. Those asked for now are all kept.
/// Threads  One executor; other processes may use the folder too.
class ObjectCache {
 public:
  static constexpr std::uint64_t kMostCopied = 4u << 20;

  ObjectCache(std::filesystem::path folder, std::uint64_t most_bytes);

  /// Files with these objects' bytes, or with `parts` what to read by ranges, in their order.
  /// Throws kConflict if one is gone.
  Task<std::vector<ReadableObject>> fetch(Store& store, std::string store_name,
                                          std::vector<ObjectKey> objects, bool parts);

 private:
  Task<ReadableObject> fetch_one(Store& store, const std::string& store_name, ObjectKey key,
                                 bool parts);
  void make_room(std::uint64_t bytes) const;

  std::filesystem::path folder_;
  std::uint64_t most_bytes_;
};

}  // namespace headrace
