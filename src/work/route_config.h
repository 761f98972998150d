#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/retry.h"
#include "stack/spec.h"

namespace headrace {

struct LimitsConfig {
  std::size_t concurrency = 16;
  std::optional<stack::Rate> rate;
};

struct DeadLettersConfig {
  Duration keep = std::chrono::hours(24 * 14);
};

inline const stack::Spec<Backoff>& backoff_spec() {
  static const auto spec =
      stack::Spec<Backoff>("backoff",
                           "The pause before another try: anything up to "
                           "base * 2^n, at most cap (full jitter)")
          .field("base", &Backoff::base, "Longest pause after the first failure",
                 stack::at_least(std::chrono::milliseconds(1)))
          .field("cap", &Backoff::cap, "Longest pause ever");
  return spec;
}

inline const stack::Spec<RetryPolicy>& retry_spec() {
  static const auto spec =
      stack::Spec<RetryPolicy>(
          "retry",
          "How often a task is tried before it is a dead letter. While no task "
          "of the route gets through, tries count for nothing")
          .field("attempts", &RetryPolicy::attempts, "Tries in all", stack::at_least(1),
                 stack::at_most(1'000))
          .field("backoff", &RetryPolicy::backoff, "The pauses", backoff_spec());
  return spec;
}

inline const stack::Spec<LimitsConfig>& limits_spec() {
  static const auto spec =
      stack::Spec<LimitsConfig>("limits", "How much of a route runs")
          .field("concurrency", &LimitsConfig::concurrency, "Tasks at a time", stack::at_least(1),
                 stack::at_most(10'000))
          .field("rate", &LimitsConfig::rate, "Tasks started at the most", stack::example("200/s"));
  return spec;
}

inline const stack::Spec<DeadLettersConfig>& dead_letters_spec() {
  static const auto spec =
      stack::Spec<DeadLettersConfig>("dead letters", "What becomes of a route's dead letters")
          .field("keep", &DeadLettersConfig::keep, "Forgotten after this long");
  return spec;
}

}  // namespace headrace
