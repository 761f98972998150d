#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "format/schema.h"

namespace headrace::delta {

// A partition value is spelled in four ways, none of which may be taken for another:
//   in partitionValues   text by its type: 2024-06-15T19:30:45.000000Z; null is JSON null
//   in a folder's name   that text, Hive-escaped: at=2024-06-15T19%3A30%3A45.000000Z
//   in the store's key   the folder's name as it is, since a key is any text
//   in add.path          the whole path, URI-escaped once more: at=2024-06-15T19%253A30%253A45...

/// The spelling of a value in partitionValues, brought to the one form we write: 007 becomes 7,
/// 1e7 becomes 1.0E7, "2024-06-15 19:30:45" of a timestamp becomes 2024-06-15T19:30:45.000000Z, and
/// a decimal gets all digits of its scale. The empty text is null, as PROTOCOL.md has it; so an
/// empty string becomes null, which is a loss. Throws kInvalid naming the column if `value` is
/// none of the type, or the type cannot part a table.
std::optional<std::string> normal_partition_value(std::string_view column, const DataType& type,
                                                  const std::optional<std::string>& value);

/// "column=value" as a folder's name. Throws kInvalid for a value with a NUL.
std::string partition_folder(std::string_view column, const std::optional<std::string>& value);

/// A folder's name, as above, in letters that nobody escapes: all but ASCII letters, digits and
/// "-_.=%" becomes %XX. Our own files lie in such folders, since other clients have mixed up
/// escaped paths with those that are not.
std::string plain_folder(std::string_view folder);

/// A relative path as add.path spells it, non-ASCII percent-encoded.
std::string encode_path(std::string_view path);

/// What add.path or remove.path means: percent-decoded exactly once; a percent sign that begins no
/// escape stands for itself, since some writers forgot to escape. An absolute path of a local file
/// loses its scheme, so that "file:///a" and "/a" are the same.
std::string decode_path(std::string_view encoded);

/// Does a decoded path name a place of its own, outside of any table ("/a", "s3://b/a")?
bool is_absolute_path(std::string_view path);

}  // namespace headrace::delta
