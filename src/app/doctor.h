#pragma once

#include <functional>
#include <string>

#include "app/setup.h"

namespace headrace {

/// One thing that was looked at.
struct Finding {
  std::string about;  ///< "store lake"
  std::string check;  ///< "clock"
  bool good = true;
  std::string says;   ///< What was found; never a secret.
  std::string fix{};  ///< What to do, if it is not good.
};

/// Looks at everything around a stack that can be wrong: stores, credentials, clocks, what buckets
/// do with conditional writes (a few objects are written under ".headrace/" and removed), queues,
/// notifications, and the folder of the ledger. `found` hears of each thing at once. What fails is
/// a finding, never an exception.
Task<> examine(const StackFile& stack, StackSetup& setup, Clock& clock,
               std::function<void(const Finding&)> found);

}  // namespace headrace
