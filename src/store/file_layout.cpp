#include "store/file_layout.h"

#include <fmt/format.h>

#include "core/utf8.h"

namespace headrace {
namespace {

std::optional<std::string> fault_in_name(std::string_view name) {
  if (name.empty()) return "it has an empty part (\"//\", or a \"/\" at an end)";
  if (name == "." || name == "..") return fmt::format("\"{}\" is no file's name", name);
  if (name.starts_with(kPrivateName)) {
    return fmt::format("names that start with \"{}\" are the store's own", kPrivateName);
  }
  if (name.size() > 255) return "a part between slashes is longer than 255 bytes";
  if (name.find('\0') != std::string_view::npos) return "it holds a NUL byte";
  if (!is_utf8(name)) return "it is not UTF-8";
  return std::nullopt;
}

}  // namespace

bool is_object_name(std::string_view name) {
  return !fault_in_name(name) && name.find('/') == std::string_view::npos;
}

std::optional<std::string> fault_in_key(const ObjectKey& key) {
  if (!is_object_name(key.bucket)) return "its bucket is no folder's name";
  if (key.path.empty()) return "the key is empty";
  if (key.path.size() > kLongestKey) {
    return fmt::format("the key is longer than {} bytes", kLongestKey);
  }
  std::string_view rest = key.path;
  while (true) {
    const std::size_t slash = rest.find('/');
    if (auto fault = fault_in_name(rest.substr(0, slash))) return fault;
    if (slash == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(slash + 1);
  }
}

Etag etag_of(const struct stat& file) {
  const auto nanoseconds = static_cast<std::uint64_t>(file.st_mtim.tv_sec) * 1'000'000'000u +
                           static_cast<std::uint64_t>(file.st_mtim.tv_nsec);
  return Etag{fmt::format("{:x}-{:x}-{:x}", file.st_ino, file.st_size, nanoseconds)};
}

Time modified_of(const struct stat& file) {
  return Time(std::chrono::seconds(file.st_mtim.tv_sec) +
              std::chrono::microseconds(file.st_mtim.tv_nsec / 1000));
}

}  // namespace headrace
