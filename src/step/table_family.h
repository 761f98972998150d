#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "step/step.h"
#include "step/table.h"
#include "table/catalog.h"

namespace headrace {

/// What a family needs beside what each of its tables does.
struct TableFamilyOptions {
  TableSinkLimits limits;
  std::size_t tables = 1'000;        ///< TableConfig::limit: more in one batch wait for the next.
  std::filesystem::path folder;      ///< For rows that do not fit into memory.
  std::uint64_t memory = 64u << 20;  ///< Of rows while they are sorted.
};

/// `table: "events_{event_type}"` where rows, not keys, tell the event_type: one object may feed
/// many tables. Rows are sorted by table, and each table's are converted by themselves, so that
/// memory is bounded however many tables there are.
///
/// The commit is one per table (tables_sink.h). A reader may see one table's rows before another's.
///
/// A row without a value in a field, or for a table beyond the family's limit, is a dead line; rows
/// of tables that are not in TableSinkLimits::only are left out and counted.
std::unique_ptr<Sink> make_table_family_sink(std::string family, Catalog& catalog,
                                             StepServices services, TableFamilyOptions options);

}  // namespace headrace
