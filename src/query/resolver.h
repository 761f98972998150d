#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"
#include "core/task.h"
#include "query/data_format.h"
#include "query/dataset_state.h"
#include "store/store.h"

namespace headrace {

/// Where the rows of a name or URL lie: an object, a prefix, or (with an empty path) a bucket.
struct DataPlace {
  Store* store = nullptr;
  ObjectKey object;
  DataFormat format = DataFormat::kAuto;
  // Of a dataset:
  std::map<std::string, std::string> columns = {};     ///< Types that the stack states.
  std::shared_ptr<const DatasetState> kept = nullptr;  ///< What was crawled of it, if it was.
};

/// How the engine reads an object.
struct ReadableObject {
  std::string path;  ///< A file that holds its bytes; of an object read by ranges, its URL.
  /// Set: it is read by ranges from its store, as long as it is this content.
  std::optional<ObjectInfo> by_ranges = std::nullopt;
};

/// What the SQL room asks of the program around it: which tables there are, where URLs lead, and
/// how the engine can read an object. Implemented in app/, where stores and the stack are known.
///
/// Threads  Called from the executor that runs the Query.
class TableResolver {
 public:
  virtual ~TableResolver() = default;

  /// The table or dataset of this name; nullopt if the stack has none.
  virtual Task<std::optional<DataPlace>> find(std::string name) = 0;
  /// The names find() knows, for messages.
  virtual Task<std::vector<std::string>> names() = 0;
  /// What a URL such as "lake://bucket/people" or "file:///tmp/x" leads to. Throws kInvalid for
  /// a store that is not there.
  virtual DataPlace locate(std::string_view url) = 0;
  /// How the engine can read these objects, in their order. A folder's objects are files already;
  /// a remote store's are fetched into a cache, or read by ranges if `format` allows to read parts.
  /// Asked only for objects that are to be read. Throws kInvalid where a store offers no way.
  virtual Task<std::vector<ReadableObject>> readable(Store& store, std::vector<ObjectKey> objects,
                                                     DataFormat format) = 0;
};

}  // namespace headrace
