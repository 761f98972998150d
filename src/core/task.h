#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

namespace headrace {

/// A coroutine of the house. It starts when awaited, resumes on the executor of who awaits it, and
/// throws Error. Parameters are values, or references to things documented to outlive the task.
template <class T = void>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

/// The CPU pool: parsing, encoding and compressing happen here, never on an event loop.
using CpuPool = boost::asio::thread_pool;

/// Runs `work()` on `pool` and comes back to the caller's executor with its result or exception.
/// `work` is moved into the task; what it refers to must outlive it.
template <class Work>
Task<std::invoke_result_t<Work&>> run_on(CpuPool& pool, Work work) {
  auto body = [](Work inner) -> Task<std::invoke_result_t<Work&>> { co_return inner(); };
  co_return co_await boost::asio::co_spawn(pool.get_executor(), body(std::move(work)),
                                           boost::asio::use_awaitable);
}

}  // namespace headrace
