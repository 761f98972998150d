#pragma once

#include <cstdint>
#include <memory>

#include "core/clock.h"
#include "core/random.h"
#include "core/retry.h"
#include "store/store.h"

namespace headrace {

struct RetryingStoreConfig {
  /// The pauses that AWS clients take since 2026, with more tries: a task that failed costs more
  /// than a request.
  RetryPolicy policy{8,
                     {std::chrono::milliseconds(50), std::chrono::seconds(20)},
                     Backoff{std::chrono::seconds(1), std::chrono::seconds(20)}};
  bool budget = true;  ///< All calls together spend one RetryBudget; off: only `attempts` counts.
  /// A write is tried again only if its body is at most this long; it is held in memory until then.
  std::uint64_t replay_bytes = 16u << 20;
};

/// Tries every call of another store again when it failed for a moment: for stores behind a
/// network. A body that breaks off is read on from where it broke, under the same etag.
///
/// Lost answers. A conditional write carries kWriteId (one is added if the caller gave none). When
/// its answer was lost and the next try finds the condition broken, the id of the object that is
/// there tells whether it lost against itself: then it is a success. What can't be told apart:
///   - if another writer has replaced our write meanwhile, the write counts as lost;
///   - after a lost answer, remove() says true also if there was nothing to remove, and with a
///     condition it says true if nothing is there any more;
///   - an unconditional write that is tried again may go over one that came in between.
///
/// A body longer than `replay_bytes` is sent once; the kTransient of that try reaches the caller.
/// `clock` and `random` outlive the store; `random` must be safe to use from any thread.
std::unique_ptr<Store> make_retrying_store(std::unique_ptr<Store> inner, Clock& clock,
                                           Random& random, RetryingStoreConfig config = {});

}  // namespace headrace
