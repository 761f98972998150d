#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "format/lines_to_parquet.h"
#include "step/step.h"
#include "table/table.h"
#include "table/table_config.h"

namespace headrace {

/// What a batch does to tables, one commit each, as the plan keeps it: docs/formats/notes.md.
struct TableBatch {
  struct One {
    std::string table;
    Append append;  ///< Its files may be none if there are objects.
    /// Objects, by their provenance, whose rows up to now go in the same commit.
    std::vector<std::string> outdated;
    /// A plan of before they held the files: all that is known of it is who and which number.
    bool only_numbered = false;
  };
  std::vector<One> tables;
  std::uint64_t rows = 0;
};

Bytes encode(const TableBatch& batch);
/// nullopt if it is the plan of something else. Throws kCorrupt.
std::optional<TableBatch> decode_table_batch(const Bytes& plan);

/// The number of the next commit of an application, from 1.
std::uint64_t next_seq(const std::optional<Snapshot>& table, const std::string& app_id);

/// How rows are converted for a table as it is now.
ConvertOptions convert_options(const std::optional<Snapshot>& table, const TableConfig& config,
                               RowPredicate keep);

/// Puts files where the table wants them, to be appended.
Task<> upload_files(Table& table, const TableConfig& config, std::vector<ParquetFile> files,
                    StepServices services, std::vector<NewFile>& added);

}  // namespace headrace
