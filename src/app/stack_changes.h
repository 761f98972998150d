#pragma once

#include <string>
#include <vector>

#include "app/stack_file.h"

namespace headrace {

/// What another reading of a stack file says that the running engine's did not. What a route
/// matches is not told here, since it may stand in other files.
struct StackChanges {
  std::vector<std::string> fixed;    ///< "stores.lake.path": takes a restart.
  std::vector<std::string> changed;  ///< Routes with other values that can be taken at once.
  std::vector<std::string> added;    ///< Routes that were not there.
};

/// By name. Parts that only verbs look at (tests, setup, sql) are no changes.
StackChanges changes_between(const WrittenStack& running, const WrittenStack& read);

}  // namespace headrace
