#include "source/watch/folder_scan.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "store/file_layout.h"

namespace headrace::watch {
namespace {

std::size_t most_watches() {
  const std::string text = watch_limit();
  std::size_t limit = 1'000'000;
  std::from_chars(text.data(), text.data() + text.size(), limit);
  return limit;
}

ObjectInfo info_of(ObjectKey key, const struct stat& status) {
  return {std::move(key),
          static_cast<std::uint64_t>(status.st_size),
          etag_of(status),
          modified_of(status),
          {}};
}

/// Does a name begin with a dot, from `at` on?
bool is_hidden(std::string_view path, std::size_t at) {
  if (at == 0 && path.starts_with('.')) return true;
  return path.find("/.", at == 0 ? 0 : at - 1) != std::string_view::npos;
}

}  // namespace

FolderScan::FolderScan(std::string root, std::string bucket, std::string base, std::string prefix)
    : root_(std::move(root)),
      bucket_(std::move(bucket)),
      base_(std::move(base)),
      prefix_(std::move(prefix)),
      most_folders_(most_watches()) {
  const auto fault = fault_in_key({bucket_, base_ + "x"});
  if (fault) {
    throw Error(ErrorKind::kInvalid,
                "the folder \"" + bucket_ + "/" + base_ + "\" can't be watched: " + *fault);
  }
}

/// An open folder that somebody removes would keep its watch, and nobody would hear of it.
void FolderScan::close_current() {
  reader_.reset();
  folder_.reset();
}

void FolderScan::restart() {
  close_current();
  folders_.assign(1, base_);
}

void FolderScan::add(std::string path) {
  if (!may_hold(path)) return;
  if (folders_.size() >= most_folders_) throw no_watch_left(watch_limit());
  folders_.push_back(std::move(path));
}

bool FolderScan::wants(std::string_view key) const {
  return key.starts_with(prefix_) && !is_hidden(key, prefix_.size());
}

bool FolderScan::may_hold(const std::string& folder) const {
  if (folder.size() >= kLongestKey) return false;
  return wants(folder) || prefix_.starts_with(folder);
}

file::Fd FolderScan::open_root() const {
  file::Fd root(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) file::fail(errno, "open store folder " + root_);
  return root;
}

void FolderScan::open_next(Inotify& inotify) {
  const std::string path = folders_.back();
  const bool is_base = path == base_;
  if (is_base) {
    std::error_code failed;
    std::filesystem::create_directories(root_, failed);
    if (failed) file::fail(failed.value(), "make store folder " + root_);
  }
  const file::Fd root = open_root();
  std::string whole = bucket_ + "/" + path;
  whole.pop_back();
  folder_ = is_base ? file::make_folders(root.get(), whole) : file::find_folder(root.get(), whole);
  if (folder_) {
    inotify.add(folder_.get(), path, is_base);
    reader_.emplace(folder_.get(), whole);
    current_ = path;
  }
  folders_.pop_back();
}

void FolderScan::step(Inotify& inotify, std::size_t most, std::vector<ObjectInfo>& found) {
  std::size_t looked_at = 0;
  try {
    while (looked_at < most && !done()) {
      if (!reader_) {
        ++looked_at;
        open_next(inotify);
        continue;
      }
      const auto entry = reader_->next();
      if (!entry) {
        close_current();
        continue;
      }
      ++looked_at;
      if (!is_object_name(entry->name)) continue;
      std::string path = current_ + std::string(entry->name);
      if (entry->type == DT_DIR) add(path + '/');
      if (entry->type != DT_REG || path.size() > kLongestKey || !wants(path)) continue;
      const auto status =
          file::stat_at(folder_.get(), std::string(entry->name).c_str(), "stat " + path);
      if (!status || !S_ISREG(status->st_mode)) continue;
      found.push_back(info_of({bucket_, std::move(path)}, *status));
    }
  } catch (const Error&) {
    // Read the folder again from its start: seeing a file twice does no harm.
    if (reader_) folders_.push_back(current_);
    close_current();
    throw;
  }
}

std::vector<std::optional<FolderScan::Now>> FolderScan::look_at(
    const std::vector<std::string>& keys) const {
  const file::Fd root = open_root();
  std::vector<std::optional<Now>> all;
  for (const std::string& path : keys) {
    ObjectKey key{bucket_, path};
    const file::Opened opened = file::open_beneath(root.get(), key.text(), O_PATH);
    if (!opened.fd && !opened.nothing()) file::fail(opened.error, "look at " + key.text());
    all.emplace_back();
    if (!opened.fd) continue;
    const struct stat status = file::stat_of(opened.fd.get(), "stat " + key.text());
    if (!S_ISREG(status.st_mode)) continue;
    all.back() = Now{info_of(std::move(key), status), status.st_nlink};
  }
  return all;
}

}  // namespace headrace::watch
