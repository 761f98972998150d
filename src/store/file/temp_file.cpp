#include "store/file/temp_file.h"

#include <dirent.h>
#include <linux/fs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/random.h"

namespace headrace::file {
namespace {

constexpr time_t kOldSeconds = 24 * 60 * 60;

}  // namespace

TempFile::TempFile(Fd folder, std::string_view prefix)
    : folder_(std::move(folder)), name_(std::string(prefix) + real_random().uuid()) {
  file_ = Fd(::openat(folder_.get(), name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file_) fail(errno, "make a temporary file");
}

TempFile::~TempFile() {
  if (there_) ::unlinkat(folder_.get(), name_.c_str(), 0);
}

void TempFile::write(BytesView bytes) { write_all(file_.get(), bytes, "write a temporary file"); }

struct stat TempFile::finish(std::uint64_t mtime_ns) {
  timespec times[2] = {};
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = static_cast<time_t>(mtime_ns / 1'000'000'000u);
  times[1].tv_nsec = static_cast<long>(mtime_ns % 1'000'000'000u);
  if (::futimens(file_.get(), times) != 0) fail(errno, "date a temporary file");
  sync(file_.get(), "flush a temporary file");
  return stat_of(file_.get(), "stat a temporary file");
}

int TempFile::move_to(int folder, const std::string& name) {
  if (::renameat(folder_.get(), name_.c_str(), folder, name.c_str()) != 0) return errno;
  there_ = false;
  return 0;
}

int TempFile::move_to_free(int folder, const std::string& name) {
  // A rename, not link(2), where the file system can: a watch sees a link appear like a file that
  // somebody only begins to write, but a rename as a whole file.
  if (::renameat2(folder_.get(), name_.c_str(), folder, name.c_str(), RENAME_NOREPLACE) == 0) {
    there_ = false;
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (::linkat(folder_.get(), name_.c_str(), folder, name.c_str(), 0) != 0) return errno;
  return 0;  // The destructor takes the temporary name away.
}

std::size_t remove_old_files(int folder, const struct timespec& now) {
  std::size_t removed = 0;
  FolderReader reader(folder, "of temporary files");
  while (const auto entry = reader.next()) {
    const std::string name(entry->name);
    const auto status = stat_at(folder, name.c_str(), "stat a temporary file");
    if (!status || !S_ISREG(status->st_mode)) continue;
    if (now.tv_sec - status->st_mtim.tv_sec < kOldSeconds) continue;
    if (::unlinkat(folder, name.c_str(), 0) == 0) ++removed;
  }
  return removed;
}

}  // namespace headrace::file
