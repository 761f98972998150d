#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace headrace {

/// Where an object is inside its store. Two fields, so that neither is ever cut out of the other.
struct ObjectKey {
  std::string bucket;
  std::string path;  ///< The key as the store knows it: decoded, UTF-8, no leading slash implied.

  auto operator<=>(const ObjectKey&) const = default;
  /// "bucket/path": for messages and for hashing, never for taking apart again.
  std::string text() const { return bucket + "/" + path; }
};

/// A store's name for one content of a key: equal etags mean equal bytes. Opaque, unquoted.
struct Etag {
  std::string value;
  auto operator<=>(const Etag&) const = default;
};

/// User metadata and tags, by name. Names of metadata are lower case.
using Metadata = std::map<std::string, std::string, std::less<>>;
using Tags = std::map<std::string, std::string, std::less<>>;

/// The metadata by which we know our own writes: the route that made the object, and the one write.
inline constexpr std::string_view kWrittenBy = "headrace-by";
inline constexpr std::string_view kWriteId = "headrace-write";

}  // namespace headrace

template <>
struct std::hash<headrace::ObjectKey> {
  std::size_t operator()(const headrace::ObjectKey& key) const noexcept {
    const std::hash<std::string> hash;
    return hash(key.bucket) * 31 + hash(key.path);
  }
};
