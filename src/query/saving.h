#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/task.h"
#include "query/data_format.h"
#include "query/resolver.h"

namespace headrace {

/// A folder of its own below `parent`, removed with all that is in it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& parent);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The options of a COPY ... TO that writes this format into a file called `name`, whose ending
/// says how text is compressed. `codec` is of Parquet: zstd, snappy, uncompressed. Throws kInvalid
/// for kAuto and kDelta.
std::string copy_options(DataFormat format, const std::string& name, const std::string& codec);

/// Puts a local file into a store as one object, as a whole or not at all; blocking reads happen on
/// `pool`. Without `overwrite`, throws kInvalid if the object is there.
Task<> put_file(std::filesystem::path file, DataPlace place, std::string shown, bool overwrite,
                CpuPool& pool);

}  // namespace headrace
