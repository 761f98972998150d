#include "table/delta/schema_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"

namespace headrace::delta {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::kInvalid, what); }

std::string joined(const std::string& parent, std::string_view name) {
  return parent.empty() ? std::string(name) : fmt::format("{}.{}", parent, name);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

void check_name(const std::string& parent, const Field& field) {
  if (field.name.empty()) refuse(fmt::format("a column in '{}' has an empty name", parent));
  if (field.name.find_first_of(" ,;{}()\n\t=") != std::string::npos) {
    refuse(
        fmt::format("column name '{}' holds one of ' ,;{{}}()=', a tab or a line end, which a "
                    "Delta table does not allow: rename it",
                    joined(parent, field.name)));
  }
}

/// A part that comes into the table: nullable, since the rows that are there do not have it.
Field made_new(const std::string& parent, Field field);

DataType made_new(const std::string& path, DataType type) {
  std::set<std::string> names;
  for (Field& inner : type.fields) {
    if (type.kind == TypeKind::kStruct) {
      if (!names.insert(lower(inner.name)).second) {
        refuse(fmt::format("'{}' is there twice without regard to case", joined(path, inner.name)));
      }
      inner = made_new(path, std::move(inner));
      continue;
    }
    inner.type = made_new(joined(path, inner.name), std::move(inner.type));
    inner.nullable = type.kind == TypeKind::kList || &inner != &type.fields.front();
  }
  return type;
}

Field made_new(const std::string& parent, Field field) {
  check_name(parent, field);
  field.type = made_new(joined(parent, field.name), std::move(field.type));
  field.nullable = true;
  return field;
}

/// 1 to 3 for the integers that Parquet holds as INT32, 0 for all else.
int small_integer_rank(TypeKind kind) {
  switch (kind) {
    case TypeKind::kByte:
      return 1;
    case TypeKind::kShort:
      return 2;
    case TypeKind::kInteger:
      return 3;
    default:
      return 0;
  }
}

void merge_fields(const std::string& parent, std::vector<Field>& table,
                  const std::vector<Field>& incoming);

void merge_type(const std::string& path, DataType& table, const DataType& incoming) {
  const int table_rank = small_integer_rank(table.kind);
  const int incoming_rank = small_integer_rank(incoming.kind);
  if (table_rank > 0 && incoming_rank > 0) {
    if (incoming_rank > table_rank) table.kind = incoming.kind;
    return;
  }
  const bool same = table.kind == incoming.kind && table.precision == incoming.precision &&
                    table.scale == incoming.scale;
  if (!same) {
    refuse(
        fmt::format("column {} is {} in the table and {} in the new rows, and a table keeps its "
                    "columns' types: cast it in the rows, or write them to another table",
                    path, to_string(table), to_string(incoming)));
  }
  if (table.kind == TypeKind::kStruct) {
    merge_fields(path, table.fields, incoming.fields);
    return;
  }
  for (std::size_t i = 0; i < table.fields.size() && i < incoming.fields.size(); ++i) {
    merge_type(joined(path, table.fields[i].name), table.fields[i].type, incoming.fields[i].type);
  }
}

void merge_fields(const std::string& parent, std::vector<Field>& table,
                  const std::vector<Field>& incoming) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < table.size(); ++i) places.emplace(lower(table[i].name), i);
  std::set<std::string> seen;
  for (const Field& field : incoming) {
    const std::string folded = lower(field.name);
    const std::string path = joined(parent, field.name);
    if (!seen.insert(folded).second) {
      refuse(fmt::format("'{}' is there twice without regard to case", path));
    }
    const auto place = places.find(folded);
    if (place == places.end()) {
      table.push_back(made_new(parent, field));
      continue;
    }
    Field& existing = table[place->second];
    if (existing.name != field.name) {
      refuse(fmt::format("column {} differs from the table's {} only in case: spell it the same",
                         path, joined(parent, existing.name)));
    }
    merge_type(path, existing.type, field.type);
  }
}

bool uses(const DataType& type, TypeKind kind) {
  return type.kind == kind ||
         std::ranges::any_of(type.fields, [&](const Field& f) { return uses(f.type, kind); });
}

}  // namespace

Schema merge_schema(const Schema& table, const Schema& incoming) {
  Schema merged = table;
  merge_fields("", merged.fields, incoming.fields);
  return merged;
}

Schema new_schema(const Schema& incoming) { return merge_schema({}, incoming); }

bool uses_type(const Schema& schema, TypeKind kind) {
  return std::ranges::any_of(schema.fields, [&](const Field& f) { return uses(f.type, kind); });
}

}  // namespace headrace::delta
