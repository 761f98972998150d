#pragma once

#include <filesystem>

namespace headrace::rocks {

/// Holds a folder for one process: a file with its pid in it, locked. The lock ends with the
/// process however that ends; the file stays and means nothing by itself.
class FolderLock {
 public:
  /// Makes the folder if need be. Throws kConflict if another holds it.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace headrace::rocks
