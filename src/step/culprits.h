#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/task.h"

namespace headrace {

/// One of a batch that cannot be worked on even by itself.
struct Culprit {
  std::size_t index = 0;
  Error error;
};

/// Which of `suspects`, known to fail together, fail alone, in their order. What works together
/// works alone, so only halves that fail are looked into: about log2(n) tries for each culprit
/// instead of n. None may be found: some batches fail only as a whole.
///
/// `fails` tries some of them and says why they fail, nullopt if they do not; what it throws ends
/// the search.
Task<std::vector<Culprit>> find_culprits(
    std::vector<std::size_t> suspects,
    std::function<Task<std::optional<Error>>(std::vector<std::size_t>)> fails);

}  // namespace headrace
