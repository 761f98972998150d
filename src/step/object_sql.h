#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/signal.h"
#include "query/data_format.h"
#include "step/step.h"
#include "step/temp_file.h"

namespace headrace {

/// A SELECT over the rows of one object at a time, by the SQL engine. The object's bytes and the
/// result are files on this machine for as long as that takes.
///
/// JSON is cut into rows as everywhere (json_rows.h), so a bad line is a dead line and costs no
/// other. CSV and Parquet are read by the engine, and are wrong as a whole or not at all.
///
/// Limits   Two objects at a time, each with `memory`; what needs more goes to the folder, up to
///          10 GiB.
/// Errors   kInvalid: the engine's own message. kTransient: memory or disk ran out.
/// Threads  The services' executor.
class ObjectSql {
 public:
  struct Options {
    std::string query;
    std::optional<DataFormat> format;  ///< Else by the object's name, else JSON lines.
    std::string ending;                ///< Of the result's file: ".parquet", ".jsonl.gz".
    std::uint64_t memory = 256u << 20;
  };
  /// `folder` belongs to this object, but for other ObjectSql; made before any of them runs, it
  /// removes what an earlier process left there.
  ObjectSql(Options options, std::filesystem::path folder, StepServices services);

  struct Result {
    TempPath file;
    std::uint64_t rows = 0;
    std::uint64_t size = 0;
  };
  /// The result for an object of this name with these plain bytes; nullopt if it has no row. Adds
  /// its bad lines to `dead`. With `only_look` it stops there, and the result is empty.
  Task<std::optional<Result>> run(std::string name, std::unique_ptr<ByteSource> plain,
                                  std::vector<DeadLine>& dead, bool only_look = false);

 private:
  Task<std::uint64_t> save_lines(TempFile& file, ByteSource& plain, std::vector<DeadLine>& dead);
  Task<std::optional<Result>> run_one(std::string name, ByteSource& plain,
                                      std::vector<DeadLine>& dead, bool only_look);

  Options options_;
  std::filesystem::path folder_;
  StepServices services_;
  Slots slots_{2};
};

}  // namespace headrace
