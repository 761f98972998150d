#pragma once

#include <limits>
#include <string>
#include <type_traits>

#include "core/log.h"
#include "core/retry.h"

namespace headrace {

inline constexpr int kForEver = std::numeric_limits<int>::max();

/// For what must not be given up: tries for ever, if not told otherwise, while the failure is
/// transient (a full disk), with backoff up to 5 s. The log says so once for each reason, and when
/// it went on. Cancellation and other kinds get out.
template <class Make>
auto durably(Clock& clock, Random& random, const Log& log, std::string_view what, Make make,
             int tries = kForEver) -> std::invoke_result_t<Make&> {
  const RetryPolicy policy{tries, {std::chrono::milliseconds(100), std::chrono::seconds(5)}};
  std::string said;
  auto told = [&]() -> std::invoke_result_t<Make&> {
    try {
      co_return co_await make();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kTransient && said != error.what()) {
        said = error.what();
        log.warning("waiting to try again", {{"what", what}, {"error", said}});
      }
      throw;
    }
  };
  const auto went_on = [&] {
    if (!said.empty()) log.info("went on", {{"what", what}});
  };
  if constexpr (std::is_void_v<typename std::invoke_result_t<Make&>::value_type>) {
    co_await with_retry(policy, clock, random, told);
    went_on();
  } else {
    auto result = co_await with_retry(policy, clock, random, told);
    went_on();
    co_return result;
  }
}

}  // namespace headrace
