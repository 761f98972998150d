#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/cli.h"

namespace headrace {

struct ConvertFile {
  std::string from;
  std::string to;
  std::string from_format;  ///< Empty: by the name.
  std::string to_format;
  std::string codec = "zstd";
  unsigned threads = 1;                 ///< For JSON to Parquet,
  std::optional<std::uint64_t> memory;  ///< and for its rows on their way: 96 MiB.
  bool overwrite = false;
};

/// `headrace convert`: JSON (lines, arrays, documents) and ORC to Parquet by our own converter,
/// everything else by the SQL engine. The target appears whole or not at all. Returns the exit
/// code: 3 if lines were bad.
int convert_file(Cli& cli, const ConvertFile& options);

}  // namespace headrace
