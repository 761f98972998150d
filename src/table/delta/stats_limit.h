#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "format/schema.h"
#include "table/delta/actions.h"

namespace headrace::delta {

/// What a table's properties say of it; nullopt where they say nothing. Names are without quotes.
std::optional<std::vector<std::string>> named_stats_columns(const Texts& properties);
/// How many leaves; -1: all.
std::optional<std::int64_t> counted_stats_columns(const Texts& properties);

/// Which columns a table wants statistics of: delta.dataSkippingStatsColumns by name, else the
/// first delta.dataSkippingNumIndexedCols leaves, else all that are there. Writers that ignore this
/// bloat the log of wide tables.
class StatsLimit {
 public:
  StatsLimit(const Schema& schema, const std::vector<std::string>& partition_columns,
             const Texts& properties);

  /// Does the table say how many or which at all?
  bool said() const { return said_; }
  /// Is the leaf of this dotted path wanted?
  bool wants(const std::string& leaf) const { return all_ || wanted_.contains(leaf); }

  /// The statistics without the columns that are not wanted. As they were if all are, or if they
  /// are no JSON object.
  std::string apply(std::string stats) const;

 private:
  bool all_ = true;
  bool said_ = false;
  std::set<std::string> wanted_;  ///< Dotted paths of leaves.
};

}  // namespace headrace::delta
