#include "query/data_folders.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"

namespace headrace {
namespace {

constexpr std::string_view kNull = "__HIVE_DEFAULT_PARTITION__";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

using Folders = std::vector<std::pair<std::string, std::optional<std::string>>>;

/// The "name=value" folders of a key; none if a name comes twice.
Folders folders_of(std::string_view key) {
  Folders folders;
  for (std::size_t slash = key.find('/'); slash != std::string_view::npos; slash = key.find('/')) {
    const std::string_view folder = key.substr(0, slash);
    key.remove_prefix(slash + 1);
    const std::size_t equals = folder.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    std::string name = decoded(folder.substr(0, equals));
    if (std::ranges::find(folders, name, &Folders::value_type::first) != folders.end()) return {};
    const std::string_view value = folder.substr(equals + 1);
    folders.emplace_back(std::move(name),
                         value == kNull ? std::nullopt : std::optional(decoded(value)));
  }
  return folders;
}

bool same_names(const Folders& a, const Folders& b) {
  return std::ranges::equal(a, b, {}, &Folders::value_type::first, &Folders::value_type::first);
}

bool is_integer(const std::string& text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

bool is_date(const std::string& text) {
  return text.size() == 10 && text[4] == '-' && text[7] == '-' &&
         parse_time(text + "T00:00:00Z").has_value();
}

TypeKind kind_of(const std::vector<TableFile>& files, const std::string& name) {
  bool any = false;
  bool dates = true;
  bool integers = true;
  for (const TableFile& file : files) {
    const auto& value = file.partition.at(name);
    if (!value) continue;
    any = true;
    dates = dates && is_date(*value);
    integers = integers && is_integer(*value);
  }
  if (!any) return TypeKind::kString;
  return dates ? TypeKind::kDate : integers ? TypeKind::kLong : TypeKind::kString;
}

}  // namespace

Snapshot folder_partitions(const std::vector<ObjectInfo>& objects) {
  Snapshot snapshot;
  Folders first;
  bool alike = true;
  for (const ObjectInfo& object : objects) {
    TableFile& file = snapshot.files.emplace_back();
    file.path = object.key.path;
    file.size = object.size;
    file.modified = object.modified;
    if (!alike) continue;
    const Folders folders = folders_of(object.key.path);
    if (snapshot.files.size() == 1) first = folders;
    alike = !first.empty() && same_names(first, folders);
    file.partition.insert(folders.begin(), folders.end());
  }
  if (!alike || first.empty()) {
    for (TableFile& file : snapshot.files) file.partition.clear();
    return snapshot;
  }
  for (const auto& [name, value] : first) {
    snapshot.partition_by.push_back(name);
    snapshot.schema.fields.push_back(
        {.name = name, .type = {.kind = kind_of(snapshot.files, name)}});
  }
  return snapshot;
}

}  // namespace headrace
