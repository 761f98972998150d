#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "core/bytes.h"

namespace headrace {

/// A file on this machine that is written at its end and read anywhere.
///
/// Errors   errno_error(): kTransient for a full disk.
/// Threads  One at a time; every call may block on the disk.
class TempFile {
 public:
  /// Makes the file, and the folder if there is none; removes it at the end unless keep() is
  /// called.
  explicit TempFile(std::filesystem::path path);
  ~TempFile();
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;

  /// Gives the offset at which the bytes begin.
  std::uint64_t append(BytesView bytes);
  std::uint64_t size() const { return size_; }
  Bytes read(std::uint64_t offset, std::uint64_t length) const;
  /// On disk, with its name, once this returns; the file then outlives the object.
  void keep();

 private:
  std::filesystem::path path_;
  int fd_;
  std::uint64_t size_ = 0;
  bool keep_ = false;
};

/// A name for a file that something else makes; whatever is there at the end is removed.
class TempPath {
 public:
  explicit TempPath(std::filesystem::path path) : path_(std::move(path)) {}
  ~TempPath();
  TempPath(TempPath&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempPath& operator=(TempPath&&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Removes what an earlier process left in a folder of ours: whatever begins, or ends, like this.
/// What cannot be removed stays.
void remove_leftovers(const std::filesystem::path& folder, std::string_view begin,
                      std::string_view end);

/// Part of a file, piece by piece; reads on `cpu`, which outlives it.
std::unique_ptr<ByteSource> file_part(std::filesystem::path path, std::uint64_t offset,
                                      std::uint64_t size, CpuPool& cpu);

/// Bytes of a kept file. Throws kCorrupt if there are fewer.
Bytes read_file_part(const std::filesystem::path& path, std::uint64_t offset, std::uint64_t length);

}  // namespace headrace
