#pragma once

#include <duckdb.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace headrace {

/// How the paths start that the engine's file system of ours opens.
inline constexpr const char* kObjectScheme = "headrace-object://";

/// What the engine reads in place of a file on a disk: bytes that never change under it.
///
/// Threads  The engine's, several at once.
class RangeFile {
 public:
  virtual ~RangeFile() = default;
  virtual std::uint64_t size() const = 0;
  virtual std::string version() const = 0;       ///< Differs where the bytes do.
  virtual std::int64_t modified_us() const = 0;  ///< Microseconds since 1970.
  /// Fills `buffer` with the `bytes` from `offset` on, which are all within the size. Blocks.
  /// Throws Error: one of kCancelled reaches the engine as an interrupt.
  virtual void read(char* buffer, std::uint64_t bytes, std::uint64_t offset) = 0;
};

/// The file of a path; null if there is none.
using OpenRangeFile = std::function<std::shared_ptr<RangeFile>(const std::string& path)>;

/// Lets an engine open paths that start with kObjectScheme, for reading. `open` lives as long as
/// the database. The one place that speaks to the engine in its own C++, whose C interface takes no
/// file systems.
void add_object_file_system(duckdb_database database, OpenRangeFile open);

}  // namespace headrace
