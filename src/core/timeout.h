#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <string>
#include <type_traits>

#include "core/clock.h"
#include "core/error.h"
#include "core/task.h"

namespace headrace {

/// Awaits `task` for at most `span`, then cancels it, waits until it has unwound and throws
/// kTransient: "`action`: took longer than 30s". What the task itself throws is passed on, and
/// cancelling the caller cancels the task.
template <class T>
Task<T> with_timeout(Clock& clock, Duration span, std::string action, Task<T> task) {
  // The result as an optional, since a task that throws has no value and T may have no default.
  using Value = std::conditional_t<std::is_void_v<T>, bool, T>;
  auto run = [](Task<T> inner) -> Task<std::optional<Value>> {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(inner);
      co_return true;
    } else {
      co_return co_await std::move(inner);
    }
  };
  const auto executor = co_await boost::asio::this_coro::executor;
  auto [order, failed, value, timer_failed] =
      co_await boost::asio::experimental::make_parallel_group(
          boost::asio::co_spawn(executor, run(std::move(task)), boost::asio::deferred),
          boost::asio::co_spawn(executor, clock.sleep(span), boost::asio::deferred))
          .async_wait(boost::asio::experimental::wait_for_one(), boost::asio::use_awaitable);
  if (failed) {
    if (!timer_failed && to_error(failed).kind() == ErrorKind::kCancelled) {
      throw Error(ErrorKind::kTransient, action + ": took longer than " + format_duration(span));
    }
    std::rethrow_exception(failed);
  }
  if constexpr (!std::is_void_v<T>) co_return *std::move(value);
}

}  // namespace headrace
