#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "format/schema.h"

namespace headrace {

/// The column that takes what did not fit: a JSON object of path -> raw value, null while unused.
inline constexpr std::string_view kRescuedColumn = "_rescued_data";

/// Columns that say where a row comes from: its object's name and its line there, from 1.
inline constexpr std::string_view kObjectColumn = "_object";
inline constexpr std::string_view kLineColumn = "_line";

enum class Codec : unsigned char { kNone, kSnappy, kZstd };

/// A line that became no row. Data, not an exception.
struct LineFault {
  std::uint64_t line = 0;  ///< From 1, within its object.
  std::string reason;      ///< "column 17: expected ',' or '}'": says where in the line.
  std::string text;        ///< The line without its end, cut at ConvertOptions::fault_bytes.
};

/// Is this row, the JSON text of one object, wanted? Asked also of texts that turn out to be none:
/// yes lets them become faults. The answer must depend on the text alone.
using RowPredicate = std::function<bool(BytesView row)>;

/// The leaves that a file has statistics of for the Delta log; a list or a map is one leaf.
struct StatsColumns {
  std::size_t first = 32;
  /// If set, these and not the first: dotted paths; a struct's stands for all within it.
  std::optional<std::vector<std::string>> named;
};

struct ConvertOptions {
  Schema schema;                          ///< Columns known already; empty if none.
  std::vector<std::string> partition_by;  ///< Left out of the files, one file per tuple of values.
  bool evolve = true;                     ///< New keys become columns; else they are rescued.
  bool fixed = false;  ///< Not even rescued: what does not fit makes its line a fault. No evolving.
  bool object_column = false;  ///< Rows get kObjectColumn, whose value begin_object() is given.
  bool line_column = false;    ///< Rows get kLineColumn.
  bool one_schema = false;     ///< Only keys of the first `infer_bytes` do: one file holds all.
  StatsColumns stats;
  Codec codec = Codec::kZstd;
  int codec_level = 1;
  std::uint64_t file_bytes = 128u << 20;  ///< A file is closed once about this large.
  std::uint64_t infer_bytes = 16u << 20;  ///< Lines looked at before columns are chosen.
  std::uint64_t line_bytes = 128u << 20;  ///< A longer line is a fault.
  std::size_t fault_bytes = 64u << 10;
  std::size_t faults_per_object = 1'000;    ///< Kept with text; beyond, counted only.
  int depth = 1'000;                        ///< Deeper nesting is a fault.
  std::size_t columns = 10'000;             ///< Leaves; beyond, kInvalid names the limit.
  std::size_t open_partitions = 64;         ///< Beyond, the largest open file is closed early.
  std::uint64_t memory_bytes = 256u << 20;  ///< Open files and rows that wait; beyond, the same.
  RowPredicate keep;                        ///< May be empty: all rows are wanted.
  /// Types that tables cannot have without a feature of their protocol: UUIDs as 16 bytes, moments
  /// without a zone. For files that are no table's.
  bool plain_types = false;
  /// How many row groups may be encoded by others while the next one fills, and how they are asked:
  /// `run_on_helper` is called with work to be done once, now or later, on any thread. It may come
  /// to nothing or too late; then the caller's thread does it. 0: no others. Half of `memory_bytes`
  /// is for rows that are not encoded yet; where that is less than 24 MiB for each row group, there
  /// are fewer at a time.
  std::size_t helpers = 0;
  std::function<void(std::function<void()>)> run_on_helper;
};

/// What one object came to.
struct ObjectRows {
  std::uint64_t rows = 0;
  /// Rows with something in _rescued_data, as far as is known: rows of the first `infer_bytes` are
  /// counted only in rescued_rows(), once the columns have been chosen.
  std::uint64_t rescued = 0;
  std::uint64_t left_out = 0;  ///< Rows that ConvertOptions::keep did not want.
  std::uint64_t fault_count = 0;
  std::vector<LineFault> faults;  ///< The first `faults_per_object` of them.
};

/// A finished Parquet file with what the Delta log wants to know of it.
struct ParquetFile {
  Bytes bytes;
  std::uint64_t rows = 0;
  /// Partition column -> its value as Delta spells it; nullopt is null. Empty if unpartitioned.
  std::map<std::string, std::optional<std::string>> partition;
  std::string stats;  ///< Delta stats, a JSON object: numRecords, minValues, maxValues, nullCount.
};

/// JSON lines -> Parquet files with Delta stats. Types are inferred from the first lines and from
/// later ones that bring new keys; what does not fit its column goes to `_rescued_data`; a line
/// that is no JSON object is a fault and costs no other line. Numbers are exact or rescued, never
/// rounded silently. Pure CPU work: no I/O, no threads of its own, one thread at a time.
///
///   LinesToParquet convert(options);
///   convert.begin_object({{"event_type", "push"}});
///   convert.write(piece); ...                       // any cut, also inside a line
///   ObjectRows rows = convert.end_object();
///   std::vector<ParquetFile> files = convert.finish();
///
/// An object that begins with '[' is an array whose elements are the rows. One whose first line is
/// no complete object, and none of the next thousand either, holds documents spread over lines.
/// Both are read as they stream; a row is limited like a line, and a fault names the line it begins
/// on.
///
/// Errors  kInvalid when a limit that says so is passed. kBug from Arrow. After a throw, drop it.
class LinesToParquet {
 public:
  explicit LinesToParquet(ConvertOptions options);
  ~LinesToParquet();
  LinesToParquet(LinesToParquet&&) noexcept;
  LinesToParquet& operator=(LinesToParquet&&) noexcept;

  /// `constants` give partition columns that the rows do not have (fields of the object's key), and
  /// the value of kObjectColumn. `first_line` is for kLineColumn: what is written may be a part of
  /// the object. A row's own values under these two names are rescued.
  void begin_object(std::map<std::string, std::string, std::less<>> constants = {},
                    std::uint64_t first_line = 1);
  void write(BytesView piece);
  ObjectRows end_object();

  /// Files closed so far, given once. Call between objects to keep memory low.
  std::vector<ParquetFile> take_files();
  /// For one_schema without partitions: what has been added to the one file since the last call, so
  /// that it need not be held in memory. Its ParquetFile::bytes are then those after the last call.
  Bytes take_bytes();
  /// Closes what is open and gives the rest. No call may follow but schema().
  std::vector<ParquetFile> finish();

  /// Columns as of now, partition columns included: options.schema and what was added, in order.
  /// Before the columns have been chosen it is options.schema.
  Schema schema() const;
  /// Rows of all objects with something in _rescued_data.
  std::uint64_t rescued_rows() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace
