#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "store/file/file_store.h"
#include "store/file/posix.h"
#include "store/file/sidecar.h"
#include "store/file/temp_file.h"
#include "store/store.h"

namespace headrace::file {

/// An object held open: its bytes stay readable when it is replaced or removed.
class OpenObject {
 public:
  OpenObject(Fd fd, ObjectInfo info, Tags tags)
      : fd_(std::move(fd)), info_(std::move(info)), tags_(std::move(tags)) {}

  const ObjectInfo& info() const { return info_; }
  const Tags& tags() const { return tags_; }
  /// Bytes of the object as it was opened; kConflict if a program changed it in place since.
  Bytes read(std::uint64_t offset, std::uint64_t length) const;
  /// Appends up to `length` bytes from `offset` to `target`; kConflict as above.
  void copy_to(TempFile& target, std::uint64_t offset, std::uint64_t length) const;

 private:
  void check_unchanged() const;

  Fd fd_;
  ObjectInfo info_;
  Tags tags_;
};

/// The file store without its coroutines: every call blocks. Keys were checked (file_layout.h).
/// Any thread may call; two processes meet only in the file system.
class FolderTree {
 public:
  FolderTree(FileStoreConfig config, Clock& clock);

  std::optional<OpenObject> open(const ObjectKey& key) const;
  std::optional<ObjectInfo> head(const ObjectKey& key) const;
  std::optional<Tags> tags(const ObjectKey& key) const;
  ListPage list(const std::string& bucket, const ListOptions& options) const;
  std::vector<std::string> buckets() const;

  /// A place to write an object's bytes to; nothing is visible until commit().
  std::unique_ptr<TempFile> begin(const ObjectKey& key);
  /// Makes the bytes the object; nullopt if the condition did not hold.
  std::optional<Etag> commit(TempFile& temp, const ObjectKey& key, const PutOptions& options);
  bool remove(const ObjectKey& key, const std::optional<Etag>& if_match);
  bool set_tags(const ObjectKey& key, const Tags& tags);

 private:
  /// kAgain: the folder vanished or an empty one made way; look again.
  enum class Placed : unsigned char { kDone, kLost, kAgain };

  Fd find_root() const;
  Fd make_root();
  FileLock lock(int root, int parent, const ObjectKey& key) const;
  std::uint64_t next_mtime();
  /// The folder the file is in now, or none if the condition did not hold.
  Fd place(int root, TempFile& temp, const ObjectKey& key, const WriteCondition& condition);
  Placed create(int parent, TempFile& temp, const ObjectKey& key);
  Placed replace(int root, int parent, TempFile& temp, const ObjectKey& key,
                 const WriteCondition& condition);
  void clean_up_once(int root, int tmp, const TempFile& fresh);
  void count_sidecar(int root);

  const FileStoreConfig config_;
  Clock& clock_;
  std::atomic<std::uint64_t> last_mtime_{0};
  std::atomic<std::uint64_t> sidecars_written_;
  std::once_flag cleaned_;
};

}  // namespace headrace::file
