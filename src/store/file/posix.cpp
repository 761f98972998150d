#include "store/file/posix.h"

#include <dirent.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/error.h"

namespace headrace::file {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void fail(int code, std::string_view action) {
  switch (code) {
    case EXDEV:
      throw Error(ErrorKind::kInvalid,
                  fmt::format("{}: the bucket is on another file system than the store's folder; "
                              "make a store of its own for it",
                              action));
    case ELOOP:
      throw Error(
          ErrorKind::kInvalid,
          fmt::format("{}: a symbolic link lies on the way, and the store follows none", action));
    case ENOTDIR:
      throw Error(ErrorKind::kInvalid,
                  fmt::format("{}: an object lies where a folder would be needed; in a folder a "
                              "key can't be both \"a\" and \"a/b\"",
                              action));
    case ENOSYS:
      throw Error(
          ErrorKind::kInvalid,
          fmt::format("{}: the kernel has no openat2; Linux 5.6 or later is needed", action));
    default:
      throw errno_error(code, action);
  }
}

bool Opened::nothing() const {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENXIO;
}

Opened open_beneath(int folder, const std::string& path, int flags) {
  struct open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  while (true) {
    const long fd = ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
    if (fd >= 0) return Opened{Fd(static_cast<int>(fd)), 0};
    // EAGAIN: somebody renamed while the kernel looked.
    if (errno != EINTR && errno != EAGAIN) return Opened{Fd(), errno};
  }
}

Fd find_folder(int root, const std::string& path) {
  Opened opened = open_beneath(root, path, O_RDONLY | O_DIRECTORY);
  if (!opened.fd && !opened.nothing()) fail(opened.error, "open folder " + path);
  return std::move(opened.fd);
}

Fd make_folders(int root, std::string_view path) {
  const std::string whole(path);
  Opened opened = open_beneath(root, whole, O_RDONLY | O_DIRECTORY);
  if (opened.fd) return std::move(opened.fd);
  if (opened.error != ENOENT) fail(opened.error, "open folder " + whole);
  Fd parent(::fcntl(root, F_DUPFD_CLOEXEC, 0));
  if (!parent) fail(errno, "open folder " + whole);
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string name(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (::mkdirat(parent.get(), name.c_str(), 0777) == 0) {
      sync(parent.get(), "make folder " + whole);
    } else if (errno != EEXIST) {
      fail(errno, "make folder " + whole);
    }
    Opened next = open_beneath(parent.get(), name, O_RDONLY | O_DIRECTORY);
    if (!next.fd) fail(next.error, "open folder " + whole);
    parent = std::move(next.fd);
  }
  return parent;
}

std::optional<struct stat> stat_at(int folder, const char* name, std::string_view action) {
  struct stat status = {};
  if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT) return std::nullopt;
  fail(errno, action);
}

struct stat stat_of(int fd, std::string_view action) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) fail(errno, action);
  return status;
}

void write_all(int fd, BytesView bytes, std::string_view action) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail(errno, action);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

Bytes read_at(int fd, std::uint64_t offset, std::uint64_t length, std::string_view action) {
  Bytes bytes(length, '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got =
        ::pread(fd, bytes.data() + have, bytes.size() - have, static_cast<off_t>(offset + have));
    if (got < 0) {
      if (errno == EINTR) continue;
      fail(errno, action);
    }
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

void sync(int fd, std::string_view action) {
  if (::fsync(fd) != 0) fail(errno, action);
}

bool remove_empty_tree(int parent, const char* name) {
  if (::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
  if (errno != ENOTEMPTY && errno != EEXIST) return false;
  const Opened folder = open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
  if (!folder.fd) return false;
  FolderReader reader(folder.fd.get(), name);
  while (const auto entry = reader.next()) {
    if (entry->type != DT_DIR) return false;
    if (!remove_empty_tree(folder.fd.get(), std::string(entry->name).c_str())) return false;
  }
  return ::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

FileLock::FileLock(Fd fd) : fd_(std::move(fd)) {
  while (::flock(fd_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) fail(errno, "lock a key");
  }
}

struct FolderReader::Impl {
  DIR* stream = nullptr;
  std::string where;
  ~Impl() {
    if (stream != nullptr) ::closedir(stream);
  }
};

FolderReader::FolderReader(int fd, std::string where) : impl_(std::make_unique<Impl>()) {
  impl_->where = std::move(where);
  Fd own(::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) fail(errno, "read folder " + impl_->where);
  impl_->stream = ::fdopendir(own.get());
  if (impl_->stream == nullptr) fail(errno, "read folder " + impl_->where);
  own.release();  // closedir closes it.
}

FolderReader::~FolderReader() = default;
FolderReader::FolderReader(FolderReader&&) noexcept = default;
FolderReader& FolderReader::operator=(FolderReader&&) noexcept = default;

std::optional<FolderReader::Entry> FolderReader::next() {
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(impl_->stream);
    if (entry == nullptr) {
      if (errno != 0) fail(errno, "read folder " + impl_->where);
      return std::nullopt;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    unsigned char type = entry->d_type;
    if (type == DT_UNKNOWN) {
      const auto status = stat_at(::dirfd(impl_->stream), entry->d_name, "stat");
      if (!status) continue;
      type = static_cast<unsigned char>(IFTODT(status->st_mode));
    }
    return Entry{name, type};
  }
}

void FolderReader::rewind() { ::rewinddir(impl_->stream); }

}  // namespace headrace::file
