#include "ledger/rocksdb/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "core/error.h"

namespace headrace::rocks {
namespace {

std::string holder(int file) {
  std::array<char, 32> text{};
  const ssize_t length = ::pread(file, text.data(), text.size(), 0);
  std::string_view pid(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  pid = pid.substr(0, pid.find('\n'));
  return pid.empty() ? "unknown" : std::string(pid);
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw errno_error(failed.value(), "make the state folder " + folder.string());
  const std::string path = (folder / "lock").string();
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) throw errno_error(errno, "open " + path);
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    const std::string pid = holder(file_);
    ::close(file_);
    if (code != EWOULDBLOCK) throw errno_error(code, "lock " + path);
    throw Error(ErrorKind::kConflict,
                fmt::format("another headrace (pid {}) has this state folder: {}; stop it, or talk "
                            "to it instead of opening its ledger",
                            pid, folder.string()));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  // The pid only makes the message above better: a full disk is no reason to stop here.
  if (::ftruncate(file_, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(file_, pid.data(), pid.size(), 0);
  }
}

FolderLock::~FolderLock() { ::close(file_); }

}  // namespace headrace::rocks
