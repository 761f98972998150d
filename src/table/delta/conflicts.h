#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "table/delta/actions.h"

namespace headrace::delta {

/// What a change under way stands on, as far as other writers can take it away.
struct Footing {
  std::string app_id;             ///< Empty: none.
  std::set<std::string> removed;  ///< Decoded paths.
  ReadScope read;                 ///< What is overwritten included.
  Schema schema;                  ///< Of the version that was read: partition columns' types.
  bool serializable = false;      ///< delta.isolationLevel is Serializable, not WriteSerializable.
};

/// Why another's commit, which came since the version that was read, stands in the way of a change;
/// nullopt if it does not. Pure. The rules are those of PROTOCOL.md's readers and of Spark's
/// isolation levels:
///
///   protocol           not here: the change is planned anew against it, and refused by name
///   metaData           conflict: columns, partitions or properties may be others now
///   txn of app_id      conflict
///   remove             conflict if it is a file that we remove, or one with rows that we read
///   add                conflict if it has rows that we read, unless of a blind append (where
///                      the table is not Serializable), which counts as having come after us
///
/// Files that were only rewritten (dataChange false) have the rows that were there before; that is
/// a conflict only if some of them are `later`: decoded paths of what blind appends brought since
/// the version that was read. Such rows cannot be told from the others any more.
std::optional<std::string> conflict_with(const Commit& winner, const Footing& footing,
                                         const std::set<std::string>& later = {});

/// Does a file's partition match one of the partitions? Values are compared as they mean, not as
/// they are spelled. `partitions` are normal already.
bool lies_in(const PartitionValues& file, const std::vector<PartitionValues>& partitions,
             const Schema& schema);

}  // namespace headrace::delta
