#pragma once

#include <atomic>
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

/// What all calls to one peer may spend on retries together, so that a peer in trouble is not asked
/// ever more. A retry costs tokens; a success gives them back, one at least. Any thread may call.
class RetryBudget {
 public:
  static constexpr int kCapacity = 500;
  static constexpr int kTransientCost = 14;
  static constexpr int kThrottledCost = 5;

  /// Takes `cost`; false, and takes nothing, if there is less.
  bool spend(int cost);
  void give_back(int cost);

 private:
  std::atomic<int> tokens_{kCapacity};
};

/// A backoff and how many tries in all, the first included.
struct RetryPolicy {
  int attempts = 5;
  Backoff backoff;
  /// After a failure that asked for a pause (Error::retry_after): how peers throttle. Absent:
  /// `backoff`.
  std::optional<Backoff> throttled = std::nullopt;
  RetryBudget* budget = nullptr;  ///< Not owned; absent: no limit but `attempts`.
};

/// One call's dealings with a budget, if there is one; a call that did not fail gives back.
class RetrySpending {
 public:
  explicit RetrySpending(RetryBudget* budget) : budget_(budget) {}
  RetrySpending(const RetrySpending&) = delete;
  ~RetrySpending() {
    if (budget_ != nullptr) budget_->give_back(last_);
  }

  bool may_retry(bool throttled) {
    if (budget_ == nullptr) return true;
    last_ = throttled ? RetryBudget::kThrottledCost : RetryBudget::kTransientCost;
    return budget_->spend(last_);
  }
  void failed() { budget_ = nullptr; }

 private:
  RetryBudget* budget_;
  int last_ = 1;
};

/// Awaits `make()` until it succeeds, fails with something other than kTransient, or has been tried
/// `policy.attempts` times or spent its budget; the last Error is rethrown. This is the only retry
/// loop in the program. `make` is called anew for each try and must be harmless to repeat.
template <class Make>
auto with_retry(RetryPolicy policy, Clock& clock, Random& random, Make make)
    -> std::invoke_result_t<Make&> {
  RetrySpending spending(policy.budget);
  for (int failures = 1;; ++failures) {
    Duration pause{};
    try {
      co_return co_await make();
    } catch (const Error& error) {
      const bool throttled = error.retry_after().count() > 0;
      const bool hopeless = error.kind() != ErrorKind::kTransient || failures >= policy.attempts;
      if (hopeless || !spending.may_retry(throttled)) {
        spending.failed();
        throw;
      }
      const Backoff& backoff = throttled && policy.throttled ? *policy.throttled : policy.backoff;
      pause = backoff.pause(failures, random, error.retry_after());
    }
    co_await clock.sleep(pause);
  }
}

}  // namespace headrace
