#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/clock.h"
#include "stack/spec.h"

namespace headrace {

/// When a table's sink commits: whichever comes first.
struct CommitConfig {
  Duration every = std::chrono::seconds(10);
  std::uint64_t bytes = 128u << 20;
  std::uint64_t tasks = 100'000;
};

/// When a running stack joins a table's small files by itself.
struct OptimizeConfig {
  std::size_t small_files = 200;
  std::uint64_t below = 32u << 20;
  std::uint64_t target = 128u << 20;
};

enum class TableFormat : unsigned char { kDelta };
enum class SchemaMode : unsigned char { kEvolve, kFixed };

/// Column -> its type in words; the place in the file gives their order.
using ColumnTypes = std::map<std::string, stack::Positioned<std::string>>;

/// A table of the stack, or a family of tables when its name and `location` hold fields.
struct TableConfig {
  std::string name;  ///< "people", or "events_{event_type}": the entry's key.
  std::string store;
  std::string location;  ///< "bucket/prefix"; holds the name's fields, if any.
  std::vector<std::string> partition_by;
  std::size_t limit = 1'000;  ///< Most tables of a family.
  /// Values of the one field in a family's name whose tables are filled; both empty: all.
  std::vector<std::string> only;
  std::filesystem::path only_file;  ///< More of them, one a line.
  TableFormat format = TableFormat::kDelta;
  SchemaMode schema = SchemaMode::kEvolve;
  ColumnTypes columns;
  std::map<std::string, std::string> properties;
  CommitConfig commit;
  OptimizeConfig optimize;
};

inline const stack::Spec<CommitConfig>& commit_spec() {
  static const auto spec =
      stack::Spec<CommitConfig>("commit", "When what was gathered becomes a version of the table")
          .field("every", &CommitConfig::every, "At the latest this long after the first object",
                 stack::at_least(std::chrono::milliseconds(1)))
          .field("bytes", &CommitConfig::bytes, "Once the objects gathered come to this size",
                 stack::bytes(), stack::at_least(1))
          .field("tasks", &CommitConfig::tasks, "Once this many objects are gathered",
                 stack::at_least(1), stack::at_most(1'000'000));
  return spec;
}

inline const stack::Spec<OptimizeConfig>& optimize_spec() {
  static const auto spec =
      stack::Spec<OptimizeConfig>("optimize", "When small files are joined while the stack runs")
          .field("small_files", &OptimizeConfig::small_files,
                 "Once more than this many can be joined; 0: never")
          .field("below", &OptimizeConfig::below, "Files below this size are small", stack::bytes(),
                 stack::at_least(1))
          .field("target", &OptimizeConfig::target,
                 "The size of the files they become, where the table has no delta.targetFileSize",
                 stack::bytes(), stack::at_least(1 << 20));
  return spec;
}

/// What is wrong with the types, if something is. In declared_columns.cpp.
std::string wrong_column_types(const ColumnTypes& columns);

/// The same of properties. In table.cpp.
std::string wrong_properties(const std::map<std::string, std::string>& properties);

inline std::string wrong_table(const TableConfig& config) {
  const bool lacks = config.schema == SchemaMode::kFixed && config.columns.empty();
  return lacks ? "schema: fixed needs columns, with their types" : "";
}

inline const stack::Spec<TableConfig>& table_spec() {
  static const auto spec =
      stack::Spec<TableConfig>("table", "A Delta table; with fields in its name, a family of them")
          .field("store", &TableConfig::store, "Name of the store", stack::required())
          .field("location", &TableConfig::location, "Where it lies: bucket/prefix",
                 stack::required(), stack::example("lake/events/{event_type}"))
          .field("format", &TableConfig::format, "The table format",
                 stack::one_of<TableFormat>({{"delta", TableFormat::kDelta}}))
          .field("partition_by", &TableConfig::partition_by,
                 "Columns whose values part the files: of the rows, else of the key's fields")
          .field("schema", &TableConfig::schema,
                 "evolve: new keys become columns, what does not fit goes to _rescued_data; fixed: "
                 "a line with other keys or values than the columns take is a dead letter",
                 stack::one_of<SchemaMode>(
                     {{"evolve", SchemaMode::kEvolve}, {"fixed", SchemaMode::kFixed}}))
          .field("columns", &TableConfig::columns,
                 "Columns and their types; others are inferred, unless schema is fixed",
                 stack::example("{ id: long, user: \"struct<name:string,tags:array<string>>\" }"),
                 stack::check(wrong_column_types))
          .field("properties", &TableConfig::properties,
                 "Properties of the table that the first rows make; `headrace table set` changes "
                 "those of a table that is there",
                 stack::example("{ delta.appendOnly: \"true\" }"), stack::check(wrong_properties))
          .field("limit", &TableConfig::limit, "Most tables of a family", stack::at_least(1))
          .field(
              "only", &TableConfig::only,
              "Of a family with one field: the values that have a table; other rows are left out "
              "and counted",
              stack::example("[push, pull_request]"))
          .field("only_file", &TableConfig::only_file, "More such values, one a line of this file")
          .field("commit", &TableConfig::commit, "When to commit", commit_spec())
          .field("optimize", &TableConfig::optimize, "When to join small files", optimize_spec())
          .check(wrong_table);
  return spec;
}

}  // namespace headrace
