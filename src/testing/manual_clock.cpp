#include "testing/manual_clock.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/error.h"

namespace headrace {

/// A timer that never expires by itself: cancelling it on its own executor is the wake-up.
struct ManualClock::Sleeper {
  explicit Sleeper(const Executor& executor)
      : timer(executor, boost::asio::steady_timer::time_point::max()) {}
  boost::asio::steady_timer timer;
  bool due = false;  // Guarded by the clock's mutex.
};

ManualClock::ManualClock(Time start) : now_(start), start_(start) {}
ManualClock::~ManualClock() = default;

Time ManualClock::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

Duration ManualClock::monotonic() const { return now() - start_; }

std::size_t ManualClock::sleepers() const {
  const std::lock_guard lock(mutex_);
  return sleepers_.size();
}

std::optional<Time> ManualClock::next_due() const {
  const std::lock_guard lock(mutex_);
  if (sleepers_.empty()) return std::nullopt;
  return sleepers_.begin()->first;
}

Task<> ManualClock::sleep_until(Time due) {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto sleeper = std::make_shared<Sleeper>(executor);
  {
    const std::lock_guard lock(mutex_);
    if (due <= now_) co_return;
    sleepers_.emplace(due, sleeper);
  }
  boost::system::error_code ignored;
  co_await sleeper->timer.async_wait(
      boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  const std::lock_guard lock(mutex_);
  if (sleeper->due) co_return;
  std::erase_if(sleepers_, [&](const auto& entry) { return entry.second == sleeper; });
  throw Error(ErrorKind::kCancelled, "sleep cancelled");
}

void ManualClock::advance(Duration span) {
  const std::lock_guard lock(mutex_);
  now_ += span;
  while (!sleepers_.empty() && sleepers_.begin()->first <= now_) {
    auto sleeper = sleepers_.begin()->second;
    sleepers_.erase(sleepers_.begin());
    sleeper->due = true;
    // Posted, so that a wait that is about to start on that executor is there to be cancelled.
    boost::asio::post(sleeper->timer.get_executor(), [sleeper] { sleeper->timer.cancel(); });
  }
}

}  // namespace headrace
