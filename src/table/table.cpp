#include "table/table.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "core/size.h"
#include "table/delta/delta_table.h"
#include "table/delta/features.h"

namespace headrace {

std::string DeletionVector::unique_id() const {
  std::string id = storage_type + path_or_inline_dv;
  if (offset) id += fmt::format("@{}", *offset);
  return id;
}

std::optional<std::uint64_t> TableFile::live_rows() const {
  if (!rows || !deletion_vector) return rows;
  return *rows - std::min(*rows, static_cast<std::uint64_t>(deletion_vector->cardinality));
}

std::string physical_name(const Field& field, ColumnMapping mapping) {
  if (mapping == ColumnMapping::kNone) return field.name;
  simdjson::dom::parser parser;
  simdjson::dom::element metadata;
  std::string_view name;
  const bool said = parser.parse(field.metadata).get(metadata) == simdjson::SUCCESS &&
                    metadata["delta.columnMapping.physicalName"].get(name) == simdjson::SUCCESS;
  return said ? std::string(name) : field.name;
}

std::string wrong_properties(const std::map<std::string, std::string>& properties) {
  return delta::wrong_properties(properties);
}

std::optional<std::uint64_t> target_file_size(const Snapshot& snapshot) {
  const auto asked = snapshot.properties.find("delta.targetFileSize");
  if (asked == snapshot.properties.end()) return std::nullopt;
  const auto bytes = parse_size(asked->second);
  if (!bytes || *bytes == 0) return std::nullopt;
  return std::max<std::uint64_t>(*bytes, 1u << 20);
}

std::unique_ptr<Table> open_table(Store& store, ObjectKey location, Clock& clock, Random& random,
                                  TableOptions options) {
  return open_delta_table(store, std::move(location.bucket), std::move(location.path),
                          std::move(options), clock, random);
}

}  // namespace headrace
