#include "work/rate.h"

#include <algorithm>
#include <cmath>

namespace headrace {

Rate::Rate(std::optional<double> per_second, Clock& clock)
    : per_second_(per_second), clock_(clock), last_(clock.monotonic()) {
  if (per_second_) tokens_ = std::max(1.0, *per_second_);
}

void Rate::refill() {
  const Duration now = clock_.monotonic();
  const double seconds = std::chrono::duration<double>(now - last_).count();
  tokens_ = std::min(std::max(1.0, *per_second_), tokens_ + seconds * *per_second_);
  last_ = now;
}

Task<std::size_t> Rate::acquire(std::size_t wanted) {
  if (!per_second_) co_return wanted;
  while (true) {
    refill();
    if (tokens_ >= 1) break;
    const double wait = (1 - tokens_) / *per_second_;
    co_await clock_.sleep(Duration(static_cast<Duration::rep>(std::ceil(wait * 1e6))));
  }
  const std::size_t granted = std::min(wanted, static_cast<std::size_t>(tokens_));
  tokens_ -= static_cast<double>(granted);
  co_return granted;
}

void Rate::refund(std::size_t count) {
  if (per_second_) tokens_ += static_cast<double>(count);
}

}  // namespace headrace
