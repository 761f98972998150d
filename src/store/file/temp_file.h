#pragma once

#include <cstdint>
#include <string>

#include "core/bytes.h"
#include "store/file/posix.h"

namespace headrace::file {

/// A file on its way to become an object; removed when destroyed, unless it was moved. Blocking.
class TempFile {
 public:
  /// Makes an empty file with a name of its own in `folder`.
  TempFile(Fd folder, std::string_view prefix);
  ~TempFile();
  TempFile(const TempFile&) = delete;

  int fd() const { return file_.get(); }
  int folder() const { return folder_.get(); }
  const std::string& name() const { return name_; }

  void write(BytesView bytes);
  /// Sets the time of last change and makes the bytes durable.
  struct stat finish(std::uint64_t mtime_ns);

  /// Gives the file its final name, replacing what is there. Returns 0 or the errno.
  int move_to(int folder, const std::string& name);
  /// The same only if the name is free (EEXIST if not).
  int move_to_free(int folder, const std::string& name);

 private:
  Fd folder_;
  std::string name_;
  Fd file_;
  bool there_ = true;  // Still under its temporary name.
};

/// Removes files of `folder` that nobody has written to for a day: left by a crash. `now` is the
/// file system's own time, the st_mtim of a file made just before.
std::size_t remove_old_files(int folder, const struct timespec& now);

}  // namespace headrace::file
