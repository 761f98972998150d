#pragma once

#include <optional>

#include "core/clock.h"

namespace headrace {

/// A token bucket: at most `per_second` starts a second on average, bursts of one second's worth
/// (at least one). No rate means no limit. One executor.
class Rate {
 public:
  Rate(std::optional<double> per_second, Clock& clock);

  /// How many of `wanted` may start now; what is granted is spent. Waits until it is at least one.
  Task<std::size_t> acquire(std::size_t wanted);
  /// Gives back tokens that were not used after all.
  void refund(std::size_t count);

 private:
  void refill();

  std::optional<double> per_second_;
  Clock& clock_;
  double tokens_ = 0;
  Duration last_{};
};

}  // namespace headrace
