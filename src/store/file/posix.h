#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/bytes.h"

// Blocking system calls with owners and Errors: the only place of the store that sees errno. All
// run on the pool for blocking work.
namespace headrace::file {

/// Owns a file descriptor; -1 is none.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();
  /// Gives the descriptor away.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// Throws the Error for `code`; `action` says what was tried on what.
[[noreturn]] void fail(int code, std::string_view action);

/// What openat2 gave: a descriptor, or the errno.
struct Opened {
  Fd fd;
  int error = 0;
  /// Nothing an object could be is there: missing, a file for a folder, a link, a socket.
  bool nothing() const;
};

/// Opens `path` below `folder`. Follows no link and cannot leave the folder, whatever others
/// rename meanwhile. O_CLOEXEC is added.
Opened open_beneath(int folder, const std::string& path, int flags);

/// The same for a folder that can be read; throws if it can't be opened for another reason than
/// that it is not there (then: no Fd).
Fd find_folder(int root, const std::string& path);

/// The folder at `path` below `root`, made with all that is missing above it, durably. Throws
/// kInvalid if a file or link is in the way.
Fd make_folders(int root, std::string_view path);

/// What `name` in `folder` is, not following a link; nullopt if there is nothing.
std::optional<struct stat> stat_at(int folder, const char* name, std::string_view action);
struct stat stat_of(int fd, std::string_view action);

void write_all(int fd, BytesView bytes, std::string_view action);
/// Up to `length` bytes from `offset`; fewer only at the end of the file.
Bytes read_at(int fd, std::uint64_t offset, std::uint64_t length, std::string_view action);
void sync(int fd, std::string_view action);

/// Removes folder `name` if it holds nothing but empty folders; false if it holds more.
bool remove_empty_tree(int parent, const char* name);

/// A lock that other processes see too, held until destroyed. Waits for it.
class FileLock {
 public:
  /// `fd` is a descriptor of its own: the lock belongs to it.
  explicit FileLock(Fd fd);

 private:
  Fd fd_;  // Closing it gives the lock back.
};

/// An open folder being read. Entries come in no order.
class FolderReader {
 public:
  struct Entry {
    std::string_view name;  ///< Good until the next call.
    unsigned char type;     ///< DT_REG, DT_DIR, ...; never DT_UNKNOWN.
  };
  /// Reads the folder behind `fd` (not O_PATH) through a descriptor of its own.
  FolderReader(int fd, std::string where);
  ~FolderReader();
  FolderReader(FolderReader&&) noexcept;
  FolderReader& operator=(FolderReader&&) noexcept;

  std::optional<Entry> next();
  void rewind();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::file
