#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/jsonl/plan.h"
#include "format/lines_to_parquet.h"
#include "format/parquet/columns.h"
#include "format/parquet/file_writer.h"
#include "format/parquet/partition.h"

namespace headrace::parquet_file {

/// The files being written, one per tuple of partition values. Rows gather into row groups of
/// 122,880 rows or about 48 MiB; a file is closed when it has its size, when the plan has grown
/// (the rows that still wait go to the next file), or when files or memory run out.
class OpenFiles {
 public:
  /// All three outlive it; `plan` and `schema` grow together.
  OpenFiles(const jsonl::Plan& plan, const Schema& schema, const ConvertOptions& options);

  void append(const Tuple& tuple, const Buffer<jsonl::Cell>& cells);
  /// Writes out what has become too large. To be called every megabyte or so of input.
  void settle();
  /// Closes all files, in the order of their partitions.
  void finish();
  /// Files closed so far, given once.
  std::vector<ParquetFile> take();

 private:
  struct Open {
    Open(Tuple values, const jsonl::Plan& plan) : tuple(std::move(values)), columns(plan) {}
    std::uint64_t bytes() const { return columns_bytes + (file ? file->size() : 0); }

    Tuple tuple;
    Columns columns;
    std::uint32_t version = 0;        // Of the plan that `columns` is in step with.
    std::uint64_t columns_bytes = 0;  // As of the last settle().
    std::optional<FileWriter> file;
  };

  Open& find(const Tuple& tuple);
  void write_group(Open& open);
  void write_full_group(Open& open);
  void close(Open& open);
  void close_file(Open& open);
  void close_largest();

  const jsonl::Plan& plan_;
  const Schema& schema_;
  const ConvertOptions& options_;
  std::unordered_map<std::string, std::unique_ptr<Open>> open_;
  std::string key_;
  std::string last_key_;
  Open* last_ = nullptr;
  std::vector<ParquetFile> closed_;
};

}  // namespace headrace::parquet_file
