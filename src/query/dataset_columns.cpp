#include "query/dataset_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "query/delta_view.h"
#include "query/sql_types.h"

namespace headrace {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

auto find_name(auto& columns, std::string_view name) {
  return std::ranges::find_if(
      columns, [&](const TypedColumn& column) { return same_name(column.name, name); });
}

bool is_json(DataFormat format) {
  return format == DataFormat::kJson || format == DataFormat::kJsonLines;
}

/// The call of the engine's reader with further options.
std::string reader(DataFormat format, const std::string& variable, const std::string& options) {
  const std::string files = fmt::format("getvariable({})", sql_string(variable));
  const char* name = format == DataFormat::kParquet ? "read_parquet"
                     : format == DataFormat::kCsv   ? "read_csv"
                                                    : "read_json";
  const char* lines = format == DataFormat::kJsonLines ? ", format = 'newline_delimited'" : "";
  return fmt::format("{}({}{}{}, hive_partitioning = false)", name, files, lines, options);
}

std::string read_type(const TypedColumn& column, DataFormat format) {
  if (column.type != kUnknownType) return column.type;
  return is_json(format) ? "JSON" : "VARCHAR";
}

/// The engine calls JSON what fits no other type: columns without any value, which are not known to
/// be JSON, and those of scalars only, which are as good as text.
void refine_json(Engine& engine, DataFormat format, const std::string& variable,
                 std::vector<TypedColumn>& columns) {
  std::vector<TypedColumn*> json;
  std::string counts;
  std::string types;
  for (TypedColumn& column : columns) {
    if (column.type != "JSON") continue;
    counts += fmt::format("{0}count({1}), count(*) FILTER (json_type({1}) IN ('OBJECT', 'ARRAY'))",
                          json.empty() ? "" : ", ", sql_name(column.name));
    types += fmt::format("{}{}: 'JSON'", json.empty() ? "" : ", ", sql_string(column.name));
    json.push_back(&column);
  }
  if (json.empty() || !readable_by_name(columns)) return;
  const auto rows =
      engine.rows(fmt::format("SELECT {} FROM {}", counts,
                              reader(format, variable, fmt::format(", columns = {{{}}}", types))));
  for (std::size_t i = 0; i < json.size(); ++i) {
    const bool any = rows.at(0).at(2 * i).text != "0";
    const bool nested = rows.at(0).at(2 * i + 1).text != "0";
    if (!any) {
      json[i]->type = kUnknownType;
    } else if (!nested) {
      json[i]->type = "VARCHAR";
    }
  }
}

std::string merged_type(const std::string& a, const std::string& b, DataFormat format) {
  if (a == kUnknownType) return b;
  if (b == kUnknownType || a == b) return a;
  return merge_types(a, b, is_json(format) ? Mixing::kJson : Mixing::kText);
}

/// The reader with what is known of the columns, by which it need not look for them.
std::string reader_of_known(Engine& engine, DataFormat format, const std::string& variable,
                            const std::vector<TypedColumn>& columns,
                            std::set<std::string>& missing) {
  std::string list;
  if (format == DataFormat::kParquet) {
    for (const TypedColumn& column : columns) {
      list += fmt::format("{}{}: {{name: {}, type: {}, default_value: NULL}}",
                          list.empty() ? "" : ", ", sql_string(column.name),
                          sql_string(column.name), sql_string(read_type(column, format)));
    }
    return reader(format, variable, fmt::format(", schema = MAP {{{}}}", list));
  }
  std::vector<TypedColumn> present = columns;
  if (format == DataFormat::kCsv) {
    // Its columns are told by their places, so that each file has to be looked at.
    present = find_columns(engine, format, variable, false);
    for (const TypedColumn& column : columns) {
      const auto found = find_name(present, column.name);
      if (found == present.end()) {
        missing.insert(column.name);
      } else {
        found->type = column.type;
      }
    }
  }
  for (const TypedColumn& column : present) {
    list += fmt::format("{}{}: {}", list.empty() ? "" : ", ", sql_string(column.name),
                        sql_string(read_type(column, format)));
  }
  return format == DataFormat::kCsv
             ? reader(format, variable, fmt::format(", union_by_name = true, types = {{{}}}", list))
             : reader(format, variable, fmt::format(", columns = {{{}}}", list));
}

}  // namespace

std::vector<TypedColumn> find_columns(Engine& engine, DataFormat format,
                                      const std::string& variable, bool whole) {
  const bool sampled = whole && format != DataFormat::kParquet;
  const std::string options =
      std::string(", union_by_name = true") + (sampled ? ", sample_size = -1" : "");
  std::vector<TypedColumn> columns;
  for (auto& row :
       engine.rows(fmt::format("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {})",
                               reader(format, variable, options)))) {
    columns.push_back({std::move(row.at(0).text), std::move(row.at(1).text)});
  }
  if (is_json(format)) refine_json(engine, format, variable, columns);
  return columns;
}

std::vector<ColumnChange> merge_columns(std::vector<TypedColumn>& columns,
                                        const std::vector<TypedColumn>& more, DataFormat format) {
  const std::vector<TypedColumn> before = columns;
  for (const TypedColumn& column : more) {
    const auto found = find_name(columns, column.name);
    if (found == columns.end()) {
      columns.push_back(column);
    } else {
      found->type = merged_type(found->type, column.type, format);
    }
  }
  return changes_between(before, columns);
}

std::vector<ColumnChange> changes_between(const std::vector<TypedColumn>& before,
                                          const std::vector<TypedColumn>& after) {
  std::vector<ColumnChange> changes;
  for (const TypedColumn& column : after) {
    const auto old = find_name(before, column.name);
    if (old == before.end()) {
      changes.push_back({.at = {}, .column = column.name, .was = "", .now = column.type});
    } else if (old->type != column.type) {
      changes.push_back({.at = {}, .column = column.name, .was = old->type, .now = column.type});
    }
  }
  for (const TypedColumn& column : before) {
    if (find_name(after, column.name) == after.end()) {
      changes.push_back({.at = {}, .column = column.name, .was = column.type, .now = ""});
    }
  }
  return changes;
}

void state_types(std::vector<TypedColumn>& columns,
                 const std::map<std::string, std::string>& stated) {
  for (const auto& [name, type] : stated) {
    const auto found = find_name(columns, name);
    if (found == columns.end()) {
      columns.push_back({name, type});
    } else {
      found->type = type;
    }
  }
}

std::string to_string(const std::vector<ColumnChange>& changes) {
  std::string out;
  for (const ColumnChange& change : changes) {
    out += out.empty() ? "" : ", ";
    if (change.was.empty()) {
      out += fmt::format("new column {} ({})", change.column, change.now);
    } else if (change.now.empty()) {
      out += fmt::format("{} is gone", change.column);
    } else {
      out += fmt::format("{} is {} and was {}", change.column, change.now, change.was);
    }
  }
  return out;
}

bool readable_by_name(const std::vector<TypedColumn>& columns) {
  // "id_1" beside "ID": made by the engine, or a name of its own; not to be told.
  return std::ranges::none_of(columns, [&](const TypedColumn& column) {
    const std::size_t digits = column.name.find_last_not_of("0123456789");
    if (digits == std::string::npos || digits + 1 == column.name.size() ||
        column.name[digits] != '_') {
      return false;
    }
    return find_name(columns, column.name.substr(0, digits)) != columns.end();
  });
}

std::string file_rows_sql(Engine& engine, PartitionColumns& partitions, DataFormat format,
                          const std::string& variable, const std::vector<TypedColumn>& columns,
                          const Snapshot& folders, const std::vector<const TableFile*>& files) {
  std::string select;
  std::string from;
  std::set<std::string> missing;
  const auto in_folders = [&](const std::string& name) {
    return std::ranges::any_of(folders.partition_by,
                               [&](const std::string& part) { return same_name(part, name); });
  };
  if (columns.empty()) {
    std::string others;
    for (const std::string& name : folders.partition_by) {
      others +=
          fmt::format("{}lower(c) <> lower({})", others.empty() ? "" : " AND ", sql_string(name));
    }
    select = others.empty() ? "*" : fmt::format("COLUMNS(c -> {})", others);
    from = reader(format, variable, ", union_by_name = true");
  } else {
    from = reader_of_known(engine, format, variable, columns, missing);
  }
  for (const TypedColumn& column : columns) {
    if (in_folders(column.name)) continue;
    const std::string name = sql_name(column.name);
    select += select.empty() ? "" : ", ";
    select += missing.contains(column.name)
                  ? fmt::format("NULL::{} AS {}", read_type(column, format), name)
                  : name;
  }
  for (const Field& field : folders.schema.fields) {
    std::vector<std::optional<std::string>> values;
    values.reserve(files.size());
    for (const TableFile* file : files) values.push_back(file->partition.at(field.name));
    select += fmt::format("{}{} AS {}", select.empty() ? "" : ", ",
                          partitions.add(sql_type(field.type), values), sql_name(field.name));
  }
  return fmt::format("SELECT {} FROM {}", select, from);
}

}  // namespace headrace
