#pragma once

#include <cstdint>
#include <memory>

#include "core/bytes.h"
#include "format/jsonl/plan.h"
#include "format/lines_to_parquet.h"
#include "format/parquet/columns.h"

namespace headrace::parquet_file {

/// A Parquet file in memory, written row group by row group: V1 pages of about 1 MiB, statistics,
/// field ids, all columns optional. The pages are ours; libparquet knows the schema and the footer.
/// docs/formats/parquet.md says what readers find.
///
/// Errors  kBug for whatever Parquet throws: there is no I/O, and all input has been checked.
///         kInvalid for a page above 2 GiB, which only a row of about that size can bring.
class FileWriter {
 public:
  /// The file keeps the plan's columns of now; the plan outlives it.
  FileWriter(const jsonl::Plan& plan, const Schema& schema, Codec codec, int codec_level);
  ~FileWriter();
  FileWriter(FileWriter&&) noexcept;
  FileWriter& operator=(FileWriter&&) noexcept;

  /// Appends the rows as one row group. They have the columns of the constructor's plan.
  void write(Columns& columns);
  /// Room for a file of so many bytes, so that growing moves nothing. Memory that is not written to
  /// costs only addresses.
  void reserve(std::uint64_t bytes);
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
