#pragma once

#include <limits>

#include "core/log.h"
#include "core/retry.h"

namespace headrace {

inline constexpr int kForEver = std::numeric_limits<int>::max();

/// For what must not be given up: tries for ever, if not told otherwise, while the failure is
/// transient (a full disk), with backoff up to 5 s, and says so in the log each time. Cancellation
/// and other kinds get out.
template <class Make>
auto durably(Clock& clock, Random& random, const Log& log, std::string_view what, Make make,
             int tries = kForEver) -> std::invoke_result_t<Make&> {
  const RetryPolicy policy{tries, {std::chrono::milliseconds(100), std::chrono::seconds(5)}};
  auto told = [&make, &log, what]() -> std::invoke_result_t<Make&> {
    try {
      co_return co_await make();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kTransient) {
        log.warning("waiting to try again", {{"what", what}, {"error", error.what()}});
      }
      throw;
    }
  };
  co_return co_await with_retry(policy, clock, random, told);
}

}  // namespace headrace
