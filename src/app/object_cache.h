#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/object.h"
#include "core/task.h"
#include "store/store.h"

namespace headrace {

/// Copies of remote objects in a folder, for an engine that reads files. A copy is named after the
/// object's etag, so it is never old; it is fetched once and used again by later runs.
///
/// Limits   Before fetching, the copies longest unused are removed until `most_bytes` hold what is
///          kept and what is to come. Those asked for now are all kept.
/// Threads  One executor; other processes may use the folder too.
class ObjectCache {
 public:
  ObjectCache(std::filesystem::path folder, std::uint64_t most_bytes);

  /// Files with these objects' bytes, in their order. Throws kConflict if one is gone.
  Task<std::vector<std::string>> fetch(Store& store, std::string store_name,
                                       std::vector<ObjectKey> objects);

 private:
  Task<std::string> fetch_one(Store& store, const std::string& store_name, ObjectKey key);
  void make_room(std::uint64_t bytes) const;

  std::filesystem::path folder_;
  std::uint64_t most_bytes_;
};

}  // namespace headrace
