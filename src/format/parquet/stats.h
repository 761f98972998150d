#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/jsonl/plan.h"
#include "format/lines_to_parquet.h"
#include "format/parquet/bounds.h"
#include "format/parquet/columns.h"

namespace headrace::parquet_file {

/// What one column of a row group has for Stats.
struct ColumnStats {
  std::size_t column = 0;     ///< Its place among indexed_columns().
  std::uint64_t present = 0;  ///< Rows that have it.
  Bounds bounds;              ///< Without its texts, which are these:
  std::string least_text, most_text;
};

/// The columns that have statistics, in their order: their nodes.
std::vector<std::uint32_t> indexed_columns(const jsonl::Node& root, const StatsColumns& wanted);

/// Rows that have a list or a map, be it empty.
std::uint64_t rows_with(const Column& list);

/// What the Delta log says of a file's rows (PROTOCOL, "Per-file Statistics"): how many, and for
/// the columns it is asked for the least and the greatest value and how many rows have none. Bounds
/// hold for every row, also where they are cut short: a text's to 32 characters, a moment's to
/// milliseconds, the least downwards and the greatest upwards. Columns within lists and maps have
/// no bounds; neither do boolean and binary ones.
class Stats {
 public:
  /// `columns` are indexed_columns() of the plan, or those of an earlier one.
  Stats(const jsonl::Plan& plan, const std::vector<std::uint32_t>& columns);

  /// The columns have become more: all rows so far have nothing in the new ones.
  void extend(const std::vector<std::uint32_t>& columns);

  /// Adds a row group.
  void add(std::uint64_t rows, const std::vector<ColumnStats>& columns);
  std::uint64_t rows() const { return rows_; }
  /// {"numRecords":2,"minValues":{...},"maxValues":{...},"nullCount":{...}}
  std::string json() const;

 private:
  struct Leaf {
    std::uint32_t node = 0;
    std::uint64_t nulls = 0;
    bool has_bounds = false;
    std::int64_t least = 0, most = 0;
    double least_real = 0, most_real = 0;
    std::string least_text, most_text;
  };
  enum class Part : unsigned char { kLeast, kMost, kNulls };

  static void add_bounds(Leaf& leaf, const ColumnStats& stats, bool wide);
  bool append_members(std::string& out, const jsonl::Node& node, Part part) const;
  bool append_member(std::string& out, const jsonl::Node& node, Part part) const;
  bool append_bound(std::string& out, const jsonl::Node& node, const Leaf& leaf, bool least) const;

  const jsonl::Plan& plan_;
  std::vector<Leaf> leaves_;
  std::uint64_t rows_ = 0;
};

/// A lower bound of `text` of at most 32 UTF-16 units.
std::string lower_bound_text(std::string_view text);
/// An upper bound of about 32 units, at most 64; nullopt if there is none.
std::optional<std::string> upper_bound_text(std::string_view text);

}  // namespace headrace::parquet_file
