#pragma once

#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <cstddef>
#include <exception>

#include "core/signal.h"
#include "core/task.h"

namespace headrace {

/// Awaits `make(0)` to `make(count - 1)`, up to `width` at a time, on `executor`, which the caller
/// is on too. After a failure nothing new is begun; what runs is waited for, then the first failure
/// is thrown. Does not hear of a cancellation before that.
template <class Make>
Task<> side_by_side(Executor executor, std::size_t count, std::size_t width, Make& make) {
  std::size_t next = 0;
  std::size_t running = std::min(count, width);
  std::exception_ptr failure;
  Signal done;
  auto work = [&]() -> Task<> {
    while (next < count && !failure) co_await make(next++);
  };
  const std::size_t workers = running;
  for (std::size_t i = 0; i < workers; ++i) {
    boost::asio::co_spawn(executor, work(), [&](std::exception_ptr ended) {
      if (ended && !failure) failure = ended;
      --running;
      done.notify_all();
    });
  }
  while (running > 0) co_await done.wait();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace headrace
