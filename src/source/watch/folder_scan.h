#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "source/watch/inotify.h"
#include "store/file/posix.h"
#include "store/store.h"

namespace headrace::watch {

/// Walks folders of a bucket, each watched before it is read, so that a file appears in the walk or
/// as a change, or in both, but never in neither. Blocking: runs on the pool.
///
/// Bounds  Holds one open folder and the names of folders still to be read; more of them than the
///         kernel would watch is the error of too few watches.
class FolderScan {
 public:
  /// `root` is the store's folder; `base` the folder to watch, in the bucket, with a "/" at the end
  /// or "". It is made if it is missing. Only keys with `prefix` are of interest, and none that has
  /// a hidden name behind it: programs write under such a name and rename.
  FolderScan(std::string root, std::string bucket, std::string base, std::string prefix);

  /// Everything, from the start; a walk under way is given up.
  void restart();
  /// One folder more.
  void add(std::string path);
  bool done() const { return folders_.empty() && !reader_; }

  /// Reads on and appends up to `most` files; few or none does not mean that it is done. Throws
  /// what stops it, and goes on with the same folder when called again.
  void step(Inotify& inotify, std::size_t most, std::vector<ObjectInfo>& found);

  /// What is at these keys now; nullopt where no object is. `links`: how many names the file has.
  struct Now {
    ObjectInfo info;
    std::uint64_t links = 1;
  };
  std::vector<std::optional<Now>> look_at(const std::vector<std::string>& keys) const;

  bool wants(std::string_view key) const;

 private:
  bool may_hold(const std::string& folder) const;
  file::Fd open_root() const;
  void open_next(Inotify& inotify);
  void close_current();

  const std::string root_;
  const std::string bucket_;
  const std::string base_;
  const std::string prefix_;
  const std::size_t most_folders_;
  std::vector<std::string> folders_;  // To be read, the next one last.
  std::string current_;               // The folder that `reader_` reads.
  file::Fd folder_;
  std::optional<file::FolderReader> reader_;
};

}  // namespace headrace::watch
