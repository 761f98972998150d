#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "format/lines_to_parquet.h"
#include "step/step.h"
#include "table/table.h"
#include "table/table_config.h"

namespace headrace {

/// What a batch adds to tables, one append each, as the plan keeps it: docs/formats/notes.md.
struct TableAppends {
  struct One {
    std::string table;
    Append append;
  };
  std::vector<One> tables;
  std::uint64_t rows = 0;
};

Bytes encode(const TableAppends& appends);
/// nullopt if it is the plan of something else. Throws kCorrupt.
std::optional<TableAppends> decode_appends(const Bytes& plan);

/// How rows are converted for a table.
Task<ConvertOptions> convert_options(Table& table, const TableConfig& config, RowPredicate keep);

/// Puts files where the table wants them, to be appended.
Task<> upload_files(Table& table, const TableConfig& config, std::vector<ParquetFile> files,
                    StepServices services, std::vector<NewFile>& added);

}  // namespace headrace
