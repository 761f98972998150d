#pragma once

#include <set>
#include <string>
#include <vector>

#include "format/schema.h"
#include "table/delta/actions.h"

namespace headrace::delta {

/// Which columns a table wants statistics of: delta.dataSkippingStatsColumns by name, else the
/// first delta.dataSkippingNumIndexedCols leaves. Writers that ignore this bloat the log of wide
/// tables.
class StatsLimit {
 public:
  StatsLimit(const Schema& schema, const std::vector<std::string>& partition_columns,
             const Texts& properties);

  /// The statistics without the columns that are not wanted. As they were if all are, or if they
  /// are no JSON object.
  std::string apply(std::string stats) const;

 private:
  bool all_ = true;
  std::set<std::string> wanted_;  ///< Dotted paths of leaves.
};

}  // namespace headrace::delta
