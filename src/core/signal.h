#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <list>

#include "core/error.h"
#include "core/task.h"

namespace headrace {

/// "Something changed, look again": tasks of one executor wait, others of the same executor notify.
/// Not for use across threads. As with any condition, look at the state again after waking.
class Signal {
 public:
  /// Waits for the next notify. Throws kCancelled if the waiting task is cancelled.
  Task<> wait() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                    boost::asio::steady_timer::time_point::max());
    const Place place(waiting_, &timer);
    boost::system::error_code ignored;
    co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    if (!place.at->notified) throw Error(ErrorKind::kCancelled, "wait cancelled");
  }

  void notify_all() {
    for (Waiter& waiter : waiting_) {
      waiter.notified = true;
      waiter.timer->cancel();
    }
  }

 private:
  struct Waiter {
    boost::asio::steady_timer* timer;
    bool notified;
  };
  /// An entry in the list for as long as its task waits, however the wait ends.
  struct Place {
    Place(std::list<Waiter>& waiters, boost::asio::steady_timer* timer)
        : list(waiters), at(list.insert(list.end(), {timer, false})) {}
    ~Place() { list.erase(at); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    std::list<Waiter>& list;
    std::list<Waiter>::iterator at;
  };
  std::list<Waiter> waiting_;
};

/// At most `limit` holders at a time, on one executor; who waits longest is not served first by
/// promise, only in time.
class Slots {
 public:
  explicit Slots(std::size_t limit) : free_(limit), limit_(limit) {}

  /// Waits until at least one slot is free; takes up to `most` of those that are, says how many.
  Task<std::size_t> acquire(std::size_t most) {
    while (free_ == 0) co_await changed_.wait();
    const std::size_t taken = most < free_ ? most : free_;
    free_ -= taken;
    co_return taken;
  }
  void release(std::size_t count) {
    free_ += count;
    changed_.notify_all();
  }
  std::size_t used() const { return limit_ - free_; }
  /// Waits until nobody holds a slot.
  Task<> all_free() {
    while (free_ != limit_) co_await changed_.wait();
  }

 private:
  std::size_t free_;
  std::size_t limit_;
  Signal changed_;
};

}  // namespace headrace
