#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/object.h"

namespace headrace {

// How a folder is a store: what the file store and the watch on its folder have to agree on.
// <root>/<bucket>/<key> is a regular file; a "/" in the key is a folder. docs/formats/file-store.md
// tells the rest.

/// Names that start so are the store's own, at every depth: never objects.
inline constexpr std::string_view kPrivateName = ".headrace";

inline constexpr std::size_t kLongestKey = 1024;  ///< Bytes, as in S3.

/// Can this be one name in a key: not empty, ".", "..", private, over 255 bytes, not UTF-8, and
/// without "/" and NUL? Files with other names are no objects.
bool is_object_name(std::string_view name);

/// Why no file can be this object, for a person; nullopt if one can.
std::optional<std::string> fault_in_key(const ObjectKey& key);

/// Inode, size and time of last change in nanoseconds. The store gives each of its own writes a
/// time that no write had before, so a content never comes back under an old etag. A program that
/// changes a file in place, to the same size, within one tick of the kernel's clock goes unseen.
Etag etag_of(const struct stat& file);

Time modified_of(const struct stat& file);

}  // namespace headrace
