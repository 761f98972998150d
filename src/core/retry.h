#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <type_traits>

#include "core/clock.h"
#include "core/error.h"
#include "core/random.h"
#include "core/task.h"

namespace headrace {

/// How long to wait between tries: uniform in [0, min(cap, base * 2^n)], "full jitter".
struct Backoff {
  Duration base = std::chrono::seconds(1);
  Duration cap = std::chrono::minutes(5);

  /// The pause after failure number `failures` (1 = the first). Never below `at_least`, which is
  /// what the other side asked for.
  Duration pause(int failures, Random& random, Duration at_least = {}) const;
};

/// A backoff and how many tries in all, the first included.
struct RetryPolicy {
  int attempts = 5;
  Backoff backoff;
};

/// Awaits `make()` until it succeeds, fails with something other than kTransient, or has been tried
/// `policy.attempts` times; the last Error is rethrown. This is the only retry loop in the program.
/// `make` is called anew for each try and must be harmless to repeat.
template <class Make>
auto with_retry(RetryPolicy policy, Clock& clock, Random& random, Make make)
    -> std::invoke_result_t<Make&> {
  for (int failures = 1;; ++failures) {
    Duration pause{};
    try {
      co_return co_await make();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kTransient || failures >= policy.attempts) throw;
      pause = policy.backoff.pause(failures, random, error.retry_after());
    }
    co_await clock.sleep(pause);
  }
}

}  // namespace headrace
