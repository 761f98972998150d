#pragma once

#include <cstdint>
#include <string>

#include "cli/cli.h"

namespace headrace {

struct ConvertFile {
  std::string from;
  std::string to;
  std::string from_format;  ///< Empty: by the name.
  std::string to_format;
  std::string codec = "zstd";
  unsigned threads = 1;                    ///< For JSON to Parquet,
  std::uint64_t memory_bytes = 96u << 20;  ///< and for its rows on their way.
  bool overwrite = false;
};

/// `headrace convert`: JSON (lines, arrays, documents) and ORC to Parquet by our own converter,
/// everything else by the SQL engine. The target appears whole or not at all. Returns the exit
/// code: 3 if lines were bad.
int convert_file(Cli& cli, const ConvertFile& options);

}  // namespace headrace
