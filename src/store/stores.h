#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"
#include "store/store.h"

namespace headrace {

/// The store that is always there: plain files by absolute path (FileStoreConfig::plain at "/").
inline constexpr std::string_view kPlainFiles = "file";

/// The other one: Amazon S3, or what the environment names in its place.
inline constexpr std::string_view kEnvironmentS3 = "s3";

/// "lake://bucket/key" taken apart. The key may be empty (a bucket) or end in "/" (a prefix). In
/// "file:///home/me/a.json" the first folder is the bucket: {"file", {"home", "me/a.json"}}.
struct StoreUrl {
  std::string store;
  ObjectKey object;
};

/// Takes everything behind the bucket as the key, byte for byte. Throws kInvalid that shows the
/// text and the expected form. Pure: a link in a file URL's path is not resolved (plain_file_url).
StoreUrl parse_store_url(std::string_view text);

/// The URL of a path on this machine, absolute or relative to the working folder, with "..", "."
/// and links resolved as far as the path exists: for what people type. Asks the file system.
StoreUrl plain_file_url(const std::string& path);

/// The stores of a process by name. Filled once at start, then read by any thread.
class Stores {
 public:
  void add(std::string name, std::unique_ptr<Store> store);
  /// Throws kInvalid naming the stores there are.
  Store& at(std::string_view name) const;
  bool contains(std::string_view name) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::unique_ptr<Store>, std::less<>> stores_;
};

}  // namespace headrace
