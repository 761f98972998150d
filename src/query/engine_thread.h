#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/task.h"

namespace headrace {

/// A thread for calls that block and can be told to stop. Unlike run_on(), cancelling who waits
/// reaches into the call: `interrupt` is run at once, on the waiting executor.
class EngineThread {
 public:
  /// Runs `work()` on the thread and comes back with its result or exception. A cancelled wait
  /// calls `interrupt()` and still waits for the work to return, soon.
  template <class Work, class Interrupt>
  Task<std::invoke_result_t<Work&>> run(Work work, Interrupt interrupt) {
    using Result = std::invoke_result_t<Work&>;
    std::exception_ptr failure;
    std::conditional_t<std::is_void_v<Result>, bool, std::optional<Result>> result{};
    auto body = [&] {
      try {
        if constexpr (std::is_void_v<Result>) {
          work();
        } else {
          result.emplace(work());
        }
      } catch (...) {
        failure = std::current_exception();
      }
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        [&](auto handler) {
          auto slot = boost::asio::get_associated_cancellation_slot(handler);
          if (slot.is_connected()) {
            slot.assign([&interrupt](boost::asio::cancellation_type) { interrupt(); });
          }
          auto home = boost::asio::make_work_guard(boost::asio::get_associated_executor(handler));
          boost::asio::post(thread_, [&body, slot, home = std::move(home),
                                      handler = std::move(handler)]() mutable {
            body();
            auto executor = home.get_executor();
            boost::asio::post(
                executor, [slot, home = std::move(home), handler = std::move(handler)]() mutable {
                  if (slot.is_connected()) slot.clear();
                  std::move(handler)();
                });
          });
        },
        boost::asio::use_awaitable);
    if (failure) std::rethrow_exception(failure);
    if constexpr (!std::is_void_v<Result>) co_return std::move(*result);
  }

  CpuPool& pool() { return thread_; }

 private:
  boost::asio::thread_pool thread_{1};
};

}  // namespace headrace
