#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/jsonl/plan.h"
#include "format/lines_to_parquet.h"
#include "format/parquet/columns.h"
#include "format/parquet/encode_job.h"
#include "format/parquet/file_writer.h"
#include "format/parquet/partition.h"

namespace headrace::parquet_file {

/// The files being written, one per tuple of partition values. Rows gather into row groups of
/// 122,880 rows or about 64 MiB, less if half of `memory_bytes` is less for all that there are at a
/// time: the one that fills and those that helpers encode; a file is closed when it has its size,
/// when a column that it has has grown members (the rows that still wait go to the next file; new
/// columns join the file, empty in its rows so far), or when files or memory run out.
///
/// Row groups are encoded at once or, if the options name helpers, by them while more rows come;
/// they join their files in the order they were filled.
class OpenFiles {
 public:
  /// All three outlive it; `plan` and `schema` grow together.
  OpenFiles(const jsonl::Plan& plan, const Schema& schema, const ConvertOptions& options);
  ~OpenFiles();

  void append(const Tuple& tuple, const Buffer<jsonl::Cell>& cells);
  /// Writes out what has become too large. To be called every megabyte or so of input.
  void settle();
  /// Closes all files, in the order of their partitions.
  void finish();
  /// Files closed so far, given once.
  std::vector<ParquetFile> take();
  /// What the one open file has come to since the last call, if there is but one.
  Bytes take_bytes();

 private:
  struct Open {
    std::uint64_t bytes() const { return columns_bytes + (file ? file->memory() : 0); }

    Tuple tuple;
    std::unique_ptr<Columns> columns;
    std::uint32_t version = 0;        // Of the plan that `columns` is in step with.
    std::uint64_t columns_bytes = 0;  // As of the last settle().
    std::size_t jobs = 0;             // Its row groups that are being encoded.
    std::optional<FileWriter> file;
  };
  struct Job {
    Open* open = nullptr;
    std::shared_ptr<EncodeJob> encode;
    std::uint64_t bytes = 0;  // Of memory.
  };

  Open& find(const Tuple& tuple);
  std::unique_ptr<Columns> new_columns();
  const std::shared_ptr<const FileLayout>& layout();
  void write_group(Open& open, bool last);
  void write_full_group(Open& open);
  void join_oldest();
  void join_all_of(Open& open);
  void close(Open& open);
  void close_file(Open& open);
  void close_largest();

  const jsonl::Plan& plan_;
  const Schema& schema_;
  const ConvertOptions& options_;
  const std::size_t helpers_;
  const std::uint64_t group_bytes_;           // Of memory, from which on a row group is written.
  std::shared_ptr<const FileLayout> layout_;  // Of the plan as it was when last asked for.
  std::unordered_map<std::string, std::unique_ptr<Open>> open_;
  std::string key_;
  std::string last_key_;
  Open* last_ = nullptr;
  std::deque<Job> jobs_;  // In the order in which they were filled.
  std::unique_ptr<Columns> spare_columns_;
  std::unique_ptr<ChunkWriter> spare_writer_;
  std::vector<ParquetFile> closed_;
  bool streams_ = false;
};

}  // namespace headrace::parquet_file
