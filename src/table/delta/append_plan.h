#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "table/delta/table_state.h"

namespace headrace::delta {

/// What a commit says besides its files.
struct CommitStamp {
  std::string where;  ///< The table, for messages.
  std::string engine;
  std::string txn_id;
  std::string new_table_id;  ///< If the commit makes the table.
  std::int64_t now_ms = 0;
};

/// A commit ready to be written as `version`, if that is still free.
struct AppendPlan {
  std::int64_t version = 0;
  Bytes lines;
};

/// Makes the commit that appends to the table as it is now; `state` is null if there is none, and
/// the commit then makes it. Pure. Throws kInvalid as Table says.
AppendPlan plan_append(const Append& append, const TableState* state,
                       const std::vector<std::string>& partition_by, const CommitStamp& stamp);

}  // namespace headrace::delta
