#include "query/delta_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace headrace {
namespace {

std::string struct_type(const std::vector<Field>& fields) {
  std::string out = "STRUCT(";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    out += fmt::format("{}{} {}", i > 0 ? ", " : "", sql_name(fields[i].name),
                       sql_type(fields[i].type));
  }
  return out + ")";
}

/// A column's type as data files have it: members under their physical names.
std::string stored_type(DataType type, ColumnMapping mapping) {
  const auto rename = [mapping](auto& self, DataType& in) -> void {
    for (Field& field : in.fields) {
      if (in.kind == TypeKind::kStruct) field.name = physical_name(field, mapping);
      self(self, field.type);
    }
  };
  rename(rename, type);
  return sql_type(type);
}

/// How read_parquet finds a column: by its name in the file, or by its field id.
std::string key_of(const Field& field, ColumnMapping mapping) {
  if (mapping == ColumnMapping::kId) return fmt::format("{}", field.field_id);
  return sql_string(physical_name(field, mapping));
}

/// Gives members of structs their names in the schema, at any depth.
class Renaming {
 public:
  explicit Renaming(ColumnMapping mapping) : mapping_(mapping) {}

  std::string apply(const std::string& value, const DataType& type) {
    if (mapping_ == ColumnMapping::kNone || !has_struct(type)) return value;
    switch (type.kind) {
      case TypeKind::kStruct:
        return of_struct(value, type);
      case TypeKind::kList: {
        const std::string element = fresh_name();
        return fmt::format("list_transform({}, lambda {}: {})", value, element,
                           apply(element, type.fields.at(0).type));
      }
      default: {
        const std::string entry = fresh_name();
        return fmt::format(
            "map_from_entries(list_transform(map_entries({}), lambda {}: struct_pack(key := {}, "
            "value := {})))",
            value, entry, apply(entry + ".key", type.fields.at(0).type),
            apply(entry + ".value", type.fields.at(1).type));
      }
    }
  }

 private:
  static bool has_struct(const DataType& type) {
    return type.kind == TypeKind::kStruct ||
           std::ranges::any_of(type.fields,
                               [](const Field& field) { return has_struct(field.type); });
  }

  std::string of_struct(const std::string& value, const DataType& type) {
    std::string members;
    for (const Field& field : type.fields) {
      const std::string stored =
          fmt::format("{}.{}", value, sql_name(physical_name(field, mapping_)));
      members += fmt::format("{}{} := {}", members.empty() ? "" : ", ", sql_name(field.name),
                             apply(stored, field.type));
    }
    return fmt::format("CASE WHEN {} IS NULL THEN NULL ELSE struct_pack({}) END", value, members);
  }

  std::string fresh_name() { return fmt::format("e{}", names_++); }

  ColumnMapping mapping_;
  int names_ = 0;
};

/// Delta times without a zone are UTC in partition values, whatever the session's zone is.
std::optional<std::string> partition_text(const TableFile& file, const Field& field) {
  const auto at = file.partition.find(field.name);
  if (at == file.partition.end() || !at->second) return std::nullopt;
  std::string text = *at->second;
  const bool time = field.type.kind == TypeKind::kTimestamp && text.size() > 10;
  if (time && text.find_first_of("Zz+-", 11) == std::string::npos) text += "Z";
  return text;
}

std::string no_rows_sql(const Snapshot& snapshot, const std::string& file_column) {
  std::string columns;
  for (const Field& field : snapshot.schema.fields) {
    columns += fmt::format("{}NULL::{} AS {}", columns.empty() ? "" : ", ", sql_type(field.type),
                           sql_name(field.name));
  }
  if (!file_column.empty()) columns += ", NULL::UBIGINT AS " + sql_name(file_column);
  return fmt::format("SELECT {} WHERE false", columns);
}

std::optional<std::uint64_t> row_count(const std::vector<const TableFile*>& files) {
  std::uint64_t rows = 0;
  for (const TableFile* file : files) {
    const auto live = file->live_rows();
    if (!live) return std::nullopt;
    rows += *live;
  }
  return rows;
}

}  // namespace

std::string sql_type(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kByte:
      return "TINYINT";
    case TypeKind::kShort:
      return "SMALLINT";
    case TypeKind::kInteger:
      return "INTEGER";
    case TypeKind::kLong:
      return "BIGINT";
    case TypeKind::kFloat:
      return "FLOAT";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kDecimal:
      return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    case TypeKind::kString:
      return "VARCHAR";
    case TypeKind::kBinary:
      return "BLOB";
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kTimestamp:
      return "TIMESTAMPTZ";
    case TypeKind::kTimestampNtz:
      return "TIMESTAMP";
    case TypeKind::kStruct:
      return struct_type(type.fields);
    case TypeKind::kList:
      return sql_type(type.fields.at(0).type) + "[]";
    case TypeKind::kMap:
      return fmt::format("MAP({}, {})", sql_type(type.fields.at(0).type),
                         sql_type(type.fields.at(1).type));
  }
  throw Error(ErrorKind::kBug, "a column type without a name");
}

std::string literal_path(const std::string& path) {
  if (path.find("://") != std::string::npos) return path;
  std::string out;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[') {
      out.append(1, '[').append(1, c).append(1, ']');
    } else {
      out += c;
    }
  }
  return out;
}

std::string partition_column(PartitionColumns& partitions, const Field& field,
                             const std::vector<const TableFile*>& files) {
  std::vector<std::optional<std::string>> values;
  values.reserve(files.size());
  for (const TableFile* file : files) values.push_back(partition_text(*file, field));
  return partitions.add(sql_type(field.type), values);
}

bool is_partition_column(const Snapshot& snapshot, const std::string& column) {
  return std::ranges::find(snapshot.partition_by, column) != snapshot.partition_by.end();
}

std::string delta_rows_sql(Engine& engine, DeltaFunctions functions, const DeltaFiles& files,
                           const std::string& variable, const std::string& file_column) {
  const Snapshot& snapshot = files.snapshot;
  if (files.files.empty()) return no_rows_sql(snapshot, file_column);
  engine.set_list(variable, {files.paths.begin(), files.paths.end()});
  std::string select;
  std::string schema;
  int stored = 0;
  for (const Field& field : snapshot.schema.fields) {
    std::string expression;
    if (is_partition_column(snapshot, field.name)) {
      expression = partition_column(functions.partitions, field, files.files);
    } else {
      // Under names of our own, so that no column is taken for `file_index`.
      const std::string name = fmt::format("c{}", stored++);
      schema += fmt::format("{}{}: {{name: '{}', type: {}, default_value: NULL}}",
                            schema.empty() ? "" : ", ", key_of(field, snapshot.column_mapping),
                            name, sql_string(stored_type(field.type, snapshot.column_mapping)));
      expression = Renaming(snapshot.column_mapping).apply(name, field.type);
    }
    select +=
        fmt::format("{}{} AS {}", select.empty() ? "" : ", ", expression, sql_name(field.name));
  }
  if (!file_column.empty()) select += fmt::format(", file_index AS {}", sql_name(file_column));
  std::string options = schema.empty() ? "" : fmt::format(", schema = MAP {{{}}}", schema);
  if (const auto rows = row_count(files.files)) {
    options += fmt::format(", explicit_cardinality = {}", *rows);
  }
  const std::string where =
      files.deleted.empty() ? "" : " WHERE " + functions.deleted.add(files.deleted);
  return fmt::format("SELECT {} FROM read_parquet(getvariable({}){}, hive_partitioning = false){}",
                     select, sql_string(variable), options, where);
}

}  // namespace headrace
