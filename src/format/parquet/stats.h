#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/jsonl/plan.h"
#include "format/parquet/bounds.h"
#include "format/parquet/columns.h"

namespace headrace::parquet_file {

/// What the Delta log says of a file's rows (PROTOCOL, "Per-file Statistics"): how many, and for
/// the first 32 columns the least and the greatest value and how many rows have none. Bounds hold
/// for every row, also where they are cut short: a text's to 32 characters, a moment's to
/// milliseconds, the least downwards and the greatest upwards. Columns within lists and maps have
/// no bounds; neither do boolean and binary ones.
class Stats {
 public:
  /// Counts leaves as Delta does: a list or a map is one.
  explicit Stats(const jsonl::Plan& plan);

  /// Adds a row group's rows.
  void add_rows(std::uint64_t rows) { rows_ += rows; }
  /// Adds what a column has in a row group; for leaves, and for lists and maps.
  void add(Columns& columns, const Column& column, const Bounds& bounds);
  /// Lists and maps whose missing rows are counted.
  const std::vector<std::uint32_t>& lists() const { return lists_; }
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

  void collect(const jsonl::Node& node);
  static void add_bounds(Leaf& leaf, const Bounds& bounds, bool wide);
  bool append_members(std::string& out, const jsonl::Node& node, Part part) const;
  bool append_member(std::string& out, const jsonl::Node& node, Part part) const;
  bool append_bound(std::string& out, const jsonl::Node& node, const Leaf& leaf, bool least) const;

  const jsonl::Plan& plan_;
  std::vector<Leaf> leaves_;
  std::vector<std::uint32_t> lists_;
  std::uint64_t rows_ = 0;
};

/// A lower bound of `text` of at most 32 UTF-16 units.
std::string lower_bound_text(std::string_view text);
/// An upper bound of about 32 units, at most 64; nullopt if there is none.
std::optional<std::string> upper_bound_text(std::string_view text);

}  // namespace headrace::parquet_file
