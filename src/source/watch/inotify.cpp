#include "source/watch/inotify.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "store/file_layout.h"

namespace headrace::watch {
namespace {

constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                IN_CREATE | IN_ONLYDIR | IN_EXCL_UNLINK;
constexpr std::uint32_t kRootMask = kMask | IN_MOVE_SELF;

}  // namespace

std::string watch_limit() {
  std::string limit;
  std::ifstream("/proc/sys/fs/inotify/max_user_watches") >> limit;
  return limit;
}

Error no_watch_left(const std::string& limit) {
  return Error(ErrorKind::kInvalid,
               fmt::format("no watch is left to watch another folder: the limit is {} for all "
                           "programs of this user; raise it with \"sysctl "
                           "fs.inotify.max_user_watches=1048576\", or use a listing source",
                           limit.empty() ? "reached" : limit));
}

Inotify::Inotify() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (fd_) return;
  if (errno == EMFILE) {
    throw Error(ErrorKind::kInvalid,
                "the user has no inotify instance left, or the process no file descriptor: raise "
                "fs.inotify.max_user_instances with sysctl");
  }
  file::fail(errno, "start inotify");
}

void Inotify::add(int folder, const std::string& path, bool root) {
  // By the open folder rather than by its name, which may be another folder's by now.
  const std::string self = fmt::format("/proc/self/fd/{}", folder);
  const std::uint32_t mask = root ? kRootMask : kMask;
  const int watch = ::inotify_add_watch(fd_.get(), self.c_str(), mask);
  if (watch < 0) {
    if (errno == ENOSPC) throw no_watch_left(watch_limit());
    file::fail(errno, "watch folder " + path);
  }
  // A folder that was moved keeps its watch: it goes by its new name from now on.
  const auto old = paths_.find(watch);
  if (old != paths_.end()) watches_.erase(old->second);
  paths_[watch] = path;
  watches_[path] = watch;
  if (root) root_ = watch;
}

void Inotify::forget_below(const std::string& path) {
  for (auto at = watches_.lower_bound(path); at != watches_.end() && at->first.starts_with(path);) {
    ::inotify_rm_watch(fd_.get(), at->second);
    paths_.erase(at->second);
    at = watches_.erase(at);
  }
}

void Inotify::translate(int watch, std::uint32_t mask, std::string_view name,
                        std::vector<Change>& out) {
  using Kind = Change::Kind;
  if ((mask & IN_Q_OVERFLOW) != 0) {
    out.push_back({Kind::kOverflow, ""});
    return;
  }
  const auto folder = paths_.find(watch);
  if (folder == paths_.end()) return;  // Taken off since.
  if ((mask & (IN_IGNORED | IN_MOVE_SELF)) != 0) {
    const std::string path = folder->second;
    if (watch == root_) out.push_back({Kind::kRootGone, path});
    if ((mask & IN_MOVE_SELF) != 0) return forget_below(path);
    const auto known = watches_.find(path);
    if (known != watches_.end() && known->second == watch) watches_.erase(known);
    paths_.erase(folder);
    return;
  }
  if (!is_object_name(name)) return;
  std::string path = folder->second + std::string(name);
  if ((mask & IN_ISDIR) != 0) {
    path += '/';
    if ((mask & IN_MOVED_FROM) != 0) {
      forget_below(path);
      out.push_back({Kind::kFolderGone, std::move(path)});
    } else if ((mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
      out.push_back({Kind::kNewFolder, std::move(path)});
    }
  } else if ((mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0) {
    out.push_back({Kind::kWritten, std::move(path)});
  } else if ((mask & IN_CREATE) != 0) {
    out.push_back({Kind::kLinked, std::move(path)});
  } else if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
    out.push_back({Kind::kGone, std::move(path)});
  }
}

std::vector<Change> Inotify::read() {
  std::vector<Change> changes;
  alignas(inotify_event) std::array<char, 64 * 1024> buffer;
  const ssize_t length = ::read(fd_.get(), buffer.data(), buffer.size());
  if (length < 0) {
    if (errno == EAGAIN || errno == EINTR) return changes;
    file::fail(errno, "read inotify");
  }
  for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(length);) {
    inotify_event event = {};
    std::memcpy(&event, buffer.data() + at, sizeof event);
    // The name is padded with NULs.
    const std::string_view padded(buffer.data() + at + sizeof event, event.len);
    translate(event.wd, event.mask, padded.substr(0, padded.find('\0')), changes);
    at += sizeof event + event.len;
  }
  return changes;
}

}  // namespace headrace::watch
