#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "format/schema.h"
#include "query/engine.h"

namespace headrace {

struct PartOptions {
  std::string codec = "zstd";  ///< zstd, snappy, gzip, lz4_raw, uncompressed.
  /// A file that has come to this size is ended, and another begun; nullopt: one file.
  std::optional<std::uint64_t> cut_bytes;
};

/// Writes the rows that a statement gives as Parquet files into `folder`, in their order: with
/// field ids in all depths, page index, zstd or the codec asked for. `schema` names and types the
/// statement's columns, in the same order; their values must be of these types. Returns the files;
/// none if there are no rows.
///
/// Memory  A row group (at most 64 MiB before it is encoded), and what the engine may hold.
/// Errors  What the engine says; kTransient if the folder takes no more; kBug if a column is of
///         another type.
std::vector<std::filesystem::path> write_parquet_parts(Engine& engine, const std::string& sql,
                                                       const Schema& schema,
                                                       const std::filesystem::path& folder,
                                                       const PartOptions& options);

}  // namespace headrace
