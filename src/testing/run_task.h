#pragma once

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "core/task.h"

namespace headrace {

/// A loop for one run_task(). Loops are kept and used again, never destroyed while the process
/// lives: a thread that resumed the task may still be on its way out of the loop when the task has
/// ended. A process that was forked starts with none, since it would share its parent's.
class LoopLease {
 public:
  LoopLease() {
    if (idle().empty()) idle().push_back(std::make_unique<boost::asio::io_context>());
    loop_ = std::move(idle().back());
    idle().pop_back();
    loop_->restart();
  }
  ~LoopLease() { idle().push_back(std::move(loop_)); }
  LoopLease(const LoopLease&) = delete;
  LoopLease& operator=(const LoopLease&) = delete;

  boost::asio::io_context& operator*() { return *loop_; }

 private:
  using Loops = std::vector<std::unique_ptr<boost::asio::io_context>>;
  static Loops& idle() {
    thread_local Loops loops;
    thread_local pid_t owner = ::getpid();
    if (owner != ::getpid()) {
      for (auto& loop : loops) (void)loop.release();  // The parent's: not ours to close.
      loops.clear();
      owner = ::getpid();
    }
    return loops;
  }

  std::unique_ptr<boost::asio::io_context> loop_;
};

/// Runs a task to its end on this thread and returns or throws what it did: how a plain test calls
/// a coroutine. May be nested, and called in a forked process.
template <class T>
T run_task(Task<T> task) {
  LoopLease lease;
  boost::asio::io_context& loop = *lease;
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
