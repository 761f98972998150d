#pragma once

#include <cstdint>
#include <memory>

#include "core/bytes.h"
#include "format/jsonl/plan.h"
#include "format/lines_to_parquet.h"
#include "format/parquet/columns.h"

namespace headrace::parquet_file {

/// A Parquet file in memory, written row group by row group: V1 pages of about 1 MiB, statistics,
/// field ids, all columns optional. What encodes a column best (a dictionary or not) is decided
/// from its values in the first row group.
///
/// Errors  kBug for whatever Parquet throws: there is no I/O, and all input has been checked.
class FileWriter {
 public:
  /// The file keeps the plan's columns of now; the plan outlives it.
  FileWriter(const jsonl::Plan& plan, const Schema& schema, Codec codec, int codec_level);
  ~FileWriter();
  FileWriter(FileWriter&&) noexcept;
  FileWriter& operator=(FileWriter&&) noexcept;

  /// Appends the rows as one row group. They have the columns of the constructor's plan.
  void write(Columns& columns);
  /// Bytes so far.
  std::uint64_t size() const;
  /// The plan's version that the file was made for.
  std::uint32_t plan_version() const;
  /// Ends the file. `partition` is left for the caller to fill in. No call may follow.
  ParquetFile finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::parquet_file
