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

bool is_partition(const Snapshot& snapshot, const Field& field) {
  return std::ranges::find(snapshot.partition_by, field.name) != snapshot.partition_by.end();
}

/// Delta times without a zone are UTC in partition values, whatever the session's zone is.
std::optional<std::string> partition_text(const TableFile& file, const Field& field) {
  const auto at = file.partition.find(field.name);
  if (at == file.partition.end() || !at->second) return std::nullopt;
  std::string text = *at->second;
  const bool time = field.type.kind == TypeKind::kTimestamp && text.size() > 10;
  if (time && text.find_first_of("Zz+-", 11) == std::string::npos) text += "Z";
  return text;
}

std::string partition_column(PartitionColumns& partitions, const Field& field,
                             const std::vector<const TableFile*>& files) {
  std::vector<std::optional<std::string>> values;
  values.reserve(files.size());
  for (const TableFile* file : files) values.push_back(partition_text(*file, field));
  return partitions.add(sql_type(field.type), values);
}

std::string no_rows_sql(const Snapshot& snapshot) {
  std::string columns;
  for (const Field& field : snapshot.schema.fields) {
    columns += fmt::format("{}NULL::{} AS {}", columns.empty() ? "" : ", ", sql_type(field.type),
                           sql_name(field.name));
  }
  return fmt::format("SELECT {} WHERE false", columns);
}

std::optional<std::uint64_t> row_count(const std::vector<const TableFile*>& files) {
  std::uint64_t rows = 0;
  for (const TableFile* file : files) {
    if (!file->rows) return std::nullopt;
    rows += *file->rows;
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

std::string delta_rows_sql(Engine& engine, PartitionColumns& partitions, const Snapshot& snapshot,
                           const std::vector<const TableFile*>& files,
                           const std::vector<std::string>& paths, const std::string& variable) {
  if (files.empty()) return no_rows_sql(snapshot);
  engine.set_list(variable, {paths.begin(), paths.end()});
  std::string select;
  std::string schema;
  for (const Field& field : snapshot.schema.fields) {
    std::string expression;
    if (is_partition(snapshot, field)) {
      expression = partition_column(partitions, field, files);
    } else {
      // Under names of our own, so that no column is taken for `file_index`.
      expression = fmt::format("c{}", std::ranges::count(schema, '{'));
      schema += fmt::format("{}{}: {{name: '{}', type: {}, default_value: NULL}}",
                            schema.empty() ? "" : ", ", sql_string(field.name), expression,
                            sql_string(sql_type(field.type)));
    }
    select +=
        fmt::format("{}{} AS {}", select.empty() ? "" : ", ", expression, sql_name(field.name));
  }
  std::string options = schema.empty() ? "" : fmt::format(", schema = MAP {{{}}}", schema);
  if (const auto rows = row_count(files)) {
    options += fmt::format(", explicit_cardinality = {}", *rows);
  }
  return fmt::format("SELECT {} FROM read_parquet(getvariable({}){}, hive_partitioning = false)",
                     select, sql_string(variable), options);
}

}  // namespace headrace
