#include "core/retry.h"

#include <algorithm>

namespace headrace {

Duration Backoff::pause(int failures, Random& random, Duration at_least) const {
  Duration ceiling = std::min(base, cap);
  for (int i = 1; i < failures && ceiling < cap; ++i) ceiling = std::min(ceiling * 2, cap);
  const auto bound = static_cast<std::uint64_t>(std::max<Duration::rep>(ceiling.count(), 0)) + 1;
  return std::max(at_least, Duration(static_cast<Duration::rep>(random.below(bound))));
}

bool RetryBudget::spend(int cost) {
  int tokens = tokens_.load();
  while (tokens >= cost) {
    if (tokens_.compare_exchange_weak(tokens, tokens - cost)) return true;
  }
  return false;
}

void RetryBudget::give_back(int cost) {
  int tokens = tokens_.load();
  while (!tokens_.compare_exchange_weak(tokens, std::min(tokens + cost, kCapacity))) {
  }
}

}  // namespace headrace
