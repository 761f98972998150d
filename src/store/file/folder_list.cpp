#include "store/file/folder_list.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>

#include "store/file/posix.h"
#include "store/file_layout.h"
#include "store/page_builder.h"

namespace headrace::file {
namespace {

class Walk {
 public:
  Walk(std::string bucket, const ListOptions& options)
      : bucket_(std::move(bucket)), delimiter_(options.delimiter), page_(options) {}

  /// Adds what lies in the folder behind `fd`; `path` is its key with a "/" at the end, or "".
  /// False when the page is full.
  bool folder(int fd, const std::string& path) {
    FolderReader reader(fd, bucket_ + "/" + path);
    std::string after;
    while (true) {
      const std::vector<std::string> names = next_names(reader, path, after);
      if (names.empty()) return true;
      for (const std::string& name : names) {
        if (!(name.ends_with('/') ? subfolder(fd, path, name) : file(fd, path, name))) return false;
      }
      after = names.back();
    }
  }

  ListPage take() && { return std::move(page_).take(); }

 private:
  /// The first names after `after` that may be on the page, in order; folders end in "/". One more
  /// than fits, so that a full page knows whether there is another.
  std::vector<std::string> next_names(FolderReader& reader, const std::string& path,
                                      const std::string& after) const {
    const std::size_t most = page_.room() + 1;
    std::vector<std::string> heap;  // The largest first.
    reader.rewind();
    while (const auto entry = reader.next()) {
      if (entry->type != DT_REG && entry->type != DT_DIR) continue;
      if (!is_object_name(entry->name)) continue;
      std::string name(entry->name);
      if (entry->type == DT_DIR) name += '/';
      if (name <= after && !after.empty()) continue;
      if (heap.size() == most && name >= heap.front()) continue;
      const std::string whole = path + name;
      if (whole.size() > kLongestKey) continue;
      if (!(entry->type == DT_DIR ? page_.may_hold(whole) : page_.wants(whole))) continue;
      if (heap.size() == most) {
        std::pop_heap(heap.begin(), heap.end());
        heap.pop_back();
      }
      heap.push_back(std::move(name));
      std::push_heap(heap.begin(), heap.end());
    }
    std::sort_heap(heap.begin(), heap.end());
    return heap;
  }

  bool file(int fd, const std::string& path, const std::string& name) {
    const auto status = stat_at(fd, name.c_str(), "stat " + bucket_ + "/" + path + name);
    if (!status || !S_ISREG(status->st_mode)) return true;  // Gone since.
    return page_.add(ObjectInfo{ObjectKey{bucket_, path + name},
                                static_cast<std::uint64_t>(status->st_size),
                                etag_of(*status),
                                modified_of(*status),
                                {}});
  }

  bool subfolder(int fd, const std::string& path, const std::string& name) {
    const std::string whole = path + name;
    const Fd inside = find_folder(fd, name.substr(0, name.size() - 1));
    if (!inside) return true;
    if (delimiter_ != '/' || page_.folded(whole) != whole) return folder(inside.get(), whole);
    return !holds_any(inside.get(), whole) || page_.add_prefix(whole);
  }

  /// Is there an object in the folder or below it? An empty folder is no prefix of anything.
  bool holds_any(int fd, const std::string& path) const {
    FolderReader reader(fd, bucket_ + "/" + path);
    while (const auto entry = reader.next()) {
      if (!is_object_name(entry->name)) continue;
      const std::string whole = path + std::string(entry->name);
      if (whole.size() > kLongestKey) continue;
      if (entry->type == DT_REG && page_.wants(whole)) return true;
      if (entry->type != DT_DIR || !page_.may_hold(whole + '/')) continue;
      const Fd inside = find_folder(fd, std::string(entry->name));
      if (inside && holds_any(inside.get(), whole + '/')) return true;
    }
    return false;
  }

  const std::string bucket_;
  const std::optional<char> delimiter_;
  PageBuilder page_;
};

}  // namespace

ListPage list_folder(int root, const std::string& bucket, const ListOptions& options) {
  // Straight to the folder that holds everything with this prefix.
  const std::size_t slash = options.prefix.rfind('/');
  const std::string base = slash == std::string::npos ? "" : options.prefix.substr(0, slash + 1);
  const ObjectKey any{bucket, base + "x"};
  if (root < 0 || fault_in_key(any)) return {};
  const Fd folder = find_folder(root, bucket + "/" + base);
  if (!folder) return {};
  Walk walk(bucket, options);
  walk.folder(folder.get(), base);
  return std::move(walk).take();
}

std::vector<std::string> list_first_level(int root) {
  std::vector<std::string> names;
  if (root < 0) return names;
  FolderReader reader(root, "of the store");
  while (const auto entry = reader.next()) {
    if (entry->type == DT_DIR && is_object_name(entry->name)) names.emplace_back(entry->name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace headrace::file
