#pragma once

#include <memory>
#include <vector>

#include "query/predicate.h"
#include "table/table.h"

namespace headrace {

/// Says which files of a table may hold rows that pass a predicate.
///
/// Promises  A file left out holds no row that passes, as the engine compares: integers and
///           partition values exactly; floats, decimals and times with slack for what writers cut
///           off; text by bytes, where bounds may be longer or shorter than any value. What is
///           missing, unreadable, or compared across types rules out nothing. Bounds that ignore
///           NaN, which the engine sorts above all numbers, are not used where it would matter.
class Pruner {
 public:
  /// `text_by_bytes`: the session compares text bytewise (no default collation is set). All
  /// arguments outlive the Pruner.
  Pruner(const Snapshot& snapshot, const std::vector<Constant>& constants, bool text_by_bytes);
  ~Pruner();

  bool may_match(const Predicate& predicate, const TableFile& file);

 private:
  class File;
  struct Parser;
  bool may_match(const Predicate& predicate, File& file) const;
  bool may_pass(const Predicate& test, File& file) const;

  std::unique_ptr<Parser> parser_;  // Its buffers serve one file after another.
  const Snapshot& snapshot_;
  const std::vector<Constant>& constants_;
  bool text_by_bytes_;
  bool clock_names_taken_;  // A column is called current_date or the like.
};

}  // namespace headrace
