#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "table/delta/conflicts.h"
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

/// How a table is to be that a commit makes; one that is there must be partitioned like this,
/// unless `partition_by` is empty.
struct TableShape {
  std::vector<std::string> partition_by;
  Texts properties;
  std::string description;
};

/// A commit ready to be written as `version`, if that is still free.
struct ChangePlan {
  std::int64_t version = 0;
  Bytes lines;
  std::uint64_t removed = 0;  ///< Files.
  bool nothing = false;       ///< The table is as asked already.
};

/// Does the change add rows and nothing else, whatever is in the table? Such a one is never in
/// conflict.
bool is_blind_append(const Change& change);

/// What the change stands on. Throws kInvalid for partitions that the table does not have, and kBug
/// for a change that contradicts itself.
Footing footing_of(const std::string& where, const Change& change, const TableState& state);

/// Makes the commit that changes the table as it is now; `state` is null if there is none, and the
/// commit then makes it. Files in `spared` (decoded paths) are not overwritten. Pure. Throws
/// kInvalid as Table says; a file that is to be removed and not there is kConflict.
ChangePlan plan_change(const Change& change, const TableState* state, const TableShape& shape,
                       const std::set<std::string>& spared, const CommitStamp& stamp);

}  // namespace headrace::delta
