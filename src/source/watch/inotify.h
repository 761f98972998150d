#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "store/file/posix.h"

namespace headrace::watch {

/// What the kernel told of one name.
struct Change {
  enum class Kind : unsigned char {
    kWritten,     ///< Closed after writing, or moved here: a whole file.
    kLinked,      ///< A name appeared: the beginning of a file, or a link to a whole one.
    kGone,        ///< Deleted or moved away.
    kNewFolder,   ///< Made or moved here: nothing is known of what is in it.
    kFolderGone,  ///< Moved away; its watches are taken off already.
    kRootGone,    ///< The watched folder itself is gone or was moved.
    kOverflow,    ///< Changes were lost: look at everything.
  };
  Kind kind;
  std::string path;  ///< Of the file, or of the folder with a "/" at the end. In the bucket.
};

/// The kernel's watches on a tree of folders. A folder is named by its path in the bucket with a
/// "/" at the end; the bucket itself is "".
///
/// Bounds   One watch per folder: at most fs.inotify.max_user_watches of one user; beyond, kInvalid
///          names the setting. Changes not read wait in the kernel (fs.inotify.max_queued_events),
///          and give kOverflow when it drops some.
/// Threads  One at a time.
class Inotify {
 public:
  Inotify();

  /// Becomes readable when there are changes.
  int fd() const { return fd_.get(); }
  /// Watches an open folder; harmless if it is watched already.
  void add(int folder, const std::string& path, bool root);
  /// Reads what has happened, up to about 64 KiB of it; empty when there is nothing.
  std::vector<Change> read();

  std::size_t watches() const { return paths_.size(); }

 private:
  void forget_below(const std::string& path);
  void translate(int watch, std::uint32_t mask, std::string_view name, std::vector<Change>& out);

  file::Fd fd_;
  std::unordered_map<int, std::string> paths_;
  std::map<std::string, int, std::less<>> watches_;
  int root_ = -1;
};

/// The error for a user who has no watch left. `limit`: what /proc says, if it could be read.
Error no_watch_left(const std::string& limit);

/// The kernel's limit of watches as text; empty if it can't be read.
std::string watch_limit();

}  // namespace headrace::watch
