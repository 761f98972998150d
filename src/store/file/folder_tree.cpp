#include "store/file/folder_tree.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "store/file/folder_list.h"
#include "store/file_layout.h"

namespace headrace::file {
namespace {

/// Every so many sidecars written, one of the 256 fan-out folders is swept: what other programs'
/// deletions leave behind stays in proportion to what is written.
constexpr std::uint64_t kWritesPerSweep = 4096;
constexpr std::size_t kSweepAtMost = 10'000;

/// How often a put starts again because others remove the folders that it makes.
constexpr int kMostAttempts = 1000;

struct Split {
  std::string folder;  // "bucket/a/b"
  std::string name;    // "c"
};

Split split(const ObjectKey& key) {
  const std::string text = key.text();
  const std::size_t slash = text.rfind('/');
  return {text.substr(0, slash), text.substr(slash + 1)};
}

Error collides(const ObjectKey& key) {
  return Error(ErrorKind::kInvalid,
               fmt::format("put {}: a folder with objects in it has this name; in a folder a key "
                           "can't be both \"a\" and \"a/b\"",
                           key.text()));
}

Error not_a_file(const ObjectKey& key) {
  return Error(ErrorKind::kInvalid,
               fmt::format("put {}: something that is no regular file has this name; move it away",
                           key.text()));
}

/// After a name was found taken: true if an object has it. Removes an empty folder that is in the
/// way; throws if it is anything else.
bool make_way(int parent, const std::string& name, const ObjectKey& key) {
  const auto there = stat_at(parent, name.c_str(), "stat " + key.text());
  if (!there) return false;
  if (S_ISREG(there->st_mode)) return true;
  if (!S_ISDIR(there->st_mode)) throw not_a_file(key);
  if (!remove_empty_tree(parent, name.c_str())) throw collides(key);
  return false;
}

Error changed(const ObjectKey& key) {
  return Error(ErrorKind::kConflict,
               fmt::format("{} was changed in place while it was read", key.text()));
}

}  // namespace

void OpenObject::check_unchanged() const {
  if (etag_of(stat_of(fd_.get(), "stat " + info_.key.text())) != info_.etag) {
    throw changed(info_.key);
  }
}

Bytes OpenObject::read(std::uint64_t offset, std::uint64_t length) const {
  Bytes bytes = read_at(fd_.get(), offset, length, "read " + info_.key.text());
  check_unchanged();
  if (bytes.size() < length) throw changed(info_.key);
  return bytes;
}

void OpenObject::copy_to(TempFile& target, std::uint64_t offset, std::uint64_t length) const {
  length = std::min(length, info_.size - offset);
  off_t at = static_cast<off_t>(offset);
  while (length > 0) {
    const ssize_t copied = ::copy_file_range(fd_.get(), &at, target.fd(), nullptr, length, 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied <= 0) break;
    length -= static_cast<std::uint64_t>(copied);
  }
  // What the kernel could not copy by itself goes through memory; an error shows again there.
  while (length > 0) {
    const Bytes piece =
        read(static_cast<std::uint64_t>(at), std::min<std::uint64_t>(length, 1u << 20));
    target.write(piece);
    at += static_cast<off_t>(piece.size());
    length -= piece.size();
  }
  check_unchanged();
}

FolderTree::FolderTree(FileStoreConfig config, Clock& clock)
    : config_(std::move(config)), clock_(clock), sidecars_written_(real_random().next() >> 1) {}

Fd FolderTree::find_root() const {
  Fd root(::open(config_.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root && errno != ENOENT) {
    const int code = errno;
    if (code == ENOTDIR) {
      throw Error(ErrorKind::kInvalid, fmt::format("store folder {} is no folder", config_.path));
    }
    fail(code, "open store folder " + config_.path);
  }
  return root;
}

Fd FolderTree::make_root() {
  Fd root = find_root();
  if (root) return root;
  std::error_code failed;
  std::filesystem::create_directories(config_.path, failed);
  if (failed) fail(failed.value(), "make store folder " + config_.path);
  root = find_root();
  if (!root) fail(ENOENT, "open store folder " + config_.path);
  return root;
}

std::optional<OpenObject> FolderTree::open(const ObjectKey& key) const {
  const std::string action = "open " + key.text();
  const Fd root = find_root();
  if (!root) return std::nullopt;
  while (true) {
    // O_NONBLOCK: opening a pipe must not wait for its writer.
    Opened opened = open_beneath(root.get(), key.text(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (opened.nothing()) return std::nullopt;
    if (!opened.fd) fail(opened.error, action);
    const struct stat status = stat_of(opened.fd.get(), action);
    if (!S_ISREG(status.st_mode)) return std::nullopt;
    ObjectInfo info{
        key, static_cast<std::uint64_t>(status.st_size), etag_of(status), modified_of(status), {}};
    if (config_.plain) return OpenObject(std::move(opened.fd), std::move(info), {});
    Sidecar sidecar = read_sidecar(root.get(), key, info.etag);
    // A writer removes a sidecar after the file has lost its name: then look at the new file. As
    // long as the file has its one name there was nothing to miss.
    if (sidecar.empty() && stat_of(opened.fd.get(), action).st_nlink != 1) {
      const Opened now = open_beneath(root.get(), key.text(), O_PATH);
      if (!now.fd || etag_of(stat_of(now.fd.get(), action)) != info.etag) continue;
    }
    info.metadata = std::move(sidecar.metadata);
    return OpenObject(std::move(opened.fd), std::move(info), std::move(sidecar.tags));
  }
}

std::optional<ObjectInfo> FolderTree::head(const ObjectKey& key) const {
  auto object = open(key);
  if (!object) return std::nullopt;
  return object->info();
}

std::optional<Tags> FolderTree::tags(const ObjectKey& key) const {
  auto object = open(key);
  if (!object) return std::nullopt;
  return object->tags();
}

ListPage FolderTree::list(const std::string& bucket, const ListOptions& options) const {
  return list_folder(find_root().get(), bucket, options);
}

std::vector<std::string> FolderTree::buckets() const { return list_first_level(find_root().get()); }

std::unique_ptr<TempFile> FolderTree::begin(const ObjectKey& key) {
  const Fd root = make_root();
  if (config_.plain) {
    return std::make_unique<TempFile>(make_folders(root.get(), split(key).folder),
                                      std::string(kPrivateName) + "-tmp-");
  }
  Fd folder = make_folders(root.get(), ".headrace/tmp");
  auto temp = std::make_unique<TempFile>(std::move(folder), "object-");
  clean_up_once(root.get(), temp->folder(), *temp);
  return temp;
}

void FolderTree::clean_up_once(int root, int tmp, const TempFile& fresh) {
  std::call_once(cleaned_, [&] {
    remove_old_files(tmp, stat_of(fresh.fd(), "stat a temporary file").st_mtim);
    sweep_sidecars(root, static_cast<unsigned>(real_random().below(256)), kSweepAtMost);
  });
}

void FolderTree::count_sidecar(int root) {
  const std::uint64_t written = ++sidecars_written_;
  if (written % kWritesPerSweep != 0) return;
  sweep_sidecars(root, static_cast<unsigned>(written / kWritesPerSweep % 256), kSweepAtMost);
}

std::uint64_t FolderTree::next_mtime() {
  // Microseconds of the clock and three random digits, so that two processes differ too.
  const auto now = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count()) * 1000 +
                   real_random().below(1000);
  std::uint64_t last = last_mtime_.load();
  while (true) {
    const std::uint64_t next = std::max(now, last + 1);
    if (last_mtime_.compare_exchange_weak(last, next)) return next;
  }
}

FileLock FolderTree::lock(int root, int parent, const ObjectKey& key) const {
  if (config_.plain) return FileLock(Fd(::openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  const Fd folder = make_folders(root, ".headrace/locks");
  const std::string name = fmt::format("{:02x}", hash64(key.text()) & 0xff);
  Fd file(::openat(folder.get(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file) fail(errno, "open the lock of " + key.text());
  return FileLock(std::move(file));
}

std::optional<Etag> FolderTree::commit(TempFile& temp, const ObjectKey& key,
                                       const PutOptions& options) {
  const Fd root = make_root();
  const Etag etag = etag_of(temp.finish(next_mtime()));
  const Sidecar sidecar{options.metadata, options.tags};
  const bool beside = !config_.plain && !sidecar.empty();
  // Before the file gets its name: whoever sees the object finds its metadata.
  if (beside) write_sidecar(root.get(), key, etag, sidecar);
  Fd parent;
  try {
    parent = place(root.get(), temp, key, options.condition);
  } catch (const Error&) {
    if (beside) remove_sidecar(root.get(), key, etag);
    throw;
  }
  if (beside && !parent) remove_sidecar(root.get(), key, etag);
  if (beside) count_sidecar(root.get());
  if (!parent) return std::nullopt;
  sync(parent.get(), "flush the folder of " + key.text());
  return etag;
}

Fd FolderTree::place(int root, TempFile& temp, const ObjectKey& key,
                     const WriteCondition& condition) {
  if (condition.if_absent && condition.if_match) return Fd();  // Both never hold.
  const std::string folder = split(key).folder;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    Fd parent = condition.if_match ? find_folder(root, folder) : make_folders(root, folder);
    if (!parent) return Fd();
    const Placed placed = condition.if_absent ? create(parent.get(), temp, key)
                                              : replace(root, parent.get(), temp, key, condition);
    if (placed == Placed::kDone) return parent;
    if (placed == Placed::kLost) return Fd();
  }
  throw Error(ErrorKind::kTransient, "put " + key.text() + ": its folder keeps being removed");
}

FolderTree::Placed FolderTree::create(int parent, TempFile& temp, const ObjectKey& key) {
  const std::string name = split(key).name;
  const int code = temp.move_to_free(parent, name);
  if (code == 0) return Placed::kDone;
  if (code == ENOENT) return Placed::kAgain;
  if (code != EEXIST) fail(code, "put " + key.text());
  return make_way(parent, name, key) ? Placed::kLost : Placed::kAgain;
}

FolderTree::Placed FolderTree::replace(int root, int parent, TempFile& temp, const ObjectKey& key,
                                       const WriteCondition& condition) {
  const std::string name = split(key).name;
  const FileLock held = lock(root, parent, key);
  const auto old = stat_at(parent, name.c_str(), "stat " + key.text());
  const bool object = old && S_ISREG(old->st_mode);
  if (condition.if_match && !(object && etag_of(*old) == *condition.if_match)) {
    return Placed::kLost;
  }
  if (old && !object) make_way(parent, name, key);
  const int code = temp.move_to(parent, name);
  if (code == ENOENT || code == EISDIR || code == ENOTEMPTY) return Placed::kAgain;
  if (code != 0) fail(code, "put " + key.text());
  if (object && !config_.plain) remove_sidecar(root, key, etag_of(*old));
  return Placed::kDone;
}

bool FolderTree::remove(const ObjectKey& key, const std::optional<Etag>& if_match) {
  const std::string action = "remove " + key.text();
  const auto [folder, name] = split(key);
  const Fd root = find_root();
  if (!root) return false;
  const Fd parent = find_folder(root.get(), folder);
  if (!parent) return false;
  if (!stat_at(parent.get(), name.c_str(), action)) return false;
  {
    const FileLock held = lock(root.get(), parent.get(), key);
    const auto there = stat_at(parent.get(), name.c_str(), action);
    if (!there || !S_ISREG(there->st_mode)) return false;
    if (if_match && etag_of(*there) != *if_match) return false;
    if (::unlinkat(parent.get(), name.c_str(), 0) != 0) {
      if (errno == ENOENT) return false;
      fail(errno, action);
    }
    if (!config_.plain) remove_sidecar(root.get(), key, etag_of(*there));
  }
  sync(parent.get(), action);
  return true;
}

bool FolderTree::set_tags(const ObjectKey& key, const Tags& tags) {
  if (config_.plain) {
    throw Error(ErrorKind::kInvalid, "tag " + key.text() + ": a plain file has no tags");
  }
  if (!head(key)) return false;
  const Fd root = make_root();
  const FileLock held = lock(root.get(), -1, key);
  const auto object = open(key);
  if (!object) return false;
  write_sidecar(root.get(), key, object->info().etag, Sidecar{object->info().metadata, tags});
  count_sidecar(root.get());
  return true;
}

}  // namespace headrace::file
