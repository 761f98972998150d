#include "source/together.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <list>
#include <memory>

#include "core/signal.h"

namespace headrace {
namespace {

/// Shared with the tasks' ends, which may come when the waiting frame is gone: a loop is destroyed
/// with whatever still waits on it.
struct Group {
  std::list<boost::asio::cancellation_signal> signals;
  std::size_t running = 0;
  std::exception_ptr failure;
  Signal changed;

  void cancel() {
    for (auto& signal : signals) signal.emit(boost::asio::cancellation_type::terminal);
  }
  Task<> all_ended() {
    while (running > 0) co_await changed.wait();
  }
};

}  // namespace

Task<> together(std::vector<Task<>> tasks) {
  const Executor executor = co_await boost::asio::this_coro::executor;
  const auto group = std::make_shared<Group>();
  group->running = tasks.size();
  for (Task<>& task : tasks) {
    auto& signal = group->signals.emplace_back();
    boost::asio::co_spawn(
        executor, std::move(task),
        boost::asio::bind_cancellation_slot(signal.slot(), [group](std::exception_ptr failure) {
          --group->running;
          if (failure && !group->failure) {
            group->failure = failure;
            group->cancel();
          }
          group->changed.notify_all();
        }));
  }
  std::exception_ptr cancelled;
  try {
    co_await group->all_ended();
  } catch (...) {
    cancelled = std::current_exception();
  }
  if (cancelled) {
    co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
    group->cancel();
    co_await group->all_ended();
    std::rethrow_exception(cancelled);
  }
  if (group->failure) std::rethrow_exception(group->failure);
}

}  // namespace headrace
