#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/task.h"
#include "query/data_format.h"
#include "query/query.h"

namespace headrace {

/// Files of one format into one file of another: all their rows, or what a query makes of them.
struct ConvertRequest {
  std::vector<std::string> from;  ///< Local paths, at least one.
  DataFormat from_format = DataFormat::kJsonLines;
  std::string to;  ///< A local path, replaced if it is there; .gz and .zst compress text formats.
  DataFormat to_format = DataFormat::kParquet;
  std::string codec = "zstd";  ///< Of Parquet: zstd, snappy, uncompressed.
  /// One SELECT over the table `input`, which is the files' rows; empty takes them all. It reaches
  /// no other file.
  std::string query;
};

/// Converts by the SQL engine: JSON lines, JSON, CSV and Parquet into each other; JSON as one
/// array. Columns are those of all files together, typed by what is seen in them; CSV to CSV keeps
/// all text as it is. Returns the count of rows. A target left by a failure is the caller's to
/// remove. Throws Error as Query does; cancelling the awaiting task stops it.
Task<std::uint64_t> convert_with_engine(ConvertRequest request, QueryOptions options);

/// What is wrong with a ConvertRequest::query as far as its text alone tells: the engine's own
/// words for what does not parse, or that it is not one SELECT. Empty if nothing; columns and
/// functions show only where there are rows.
std::string wrong_with_query(const std::string& query);

}  // namespace headrace
