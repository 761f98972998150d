#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "core/task.h"

namespace headrace {

/// This thread's loop for run_task(). It is kept from call to call, because a thread that resumed
/// the task may still be on its way out of the loop when the task has ended.
inline boost::asio::io_context& task_loop() {
  thread_local boost::asio::io_context loop;
  loop.restart();
  return loop;
}

/// Runs a task to its end on this thread and returns or throws what it did: how a plain test calls
/// a coroutine. Not from within a task.
template <class T>
T run_task(Task<T> task) {
  boost::asio::io_context& loop = task_loop();
  std::exception_ptr failure;
  if constexpr (std::is_void_v<T>) {
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e) { failure = e; });
    loop.run();
    if (failure) std::rethrow_exception(failure);
  } else {
    std::optional<T> result;
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, T value) {
      failure = e;
      if (!e) result.emplace(std::move(value));
    });
    loop.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
}

}  // namespace headrace
