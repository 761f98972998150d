#include "work/outage.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace headrace {
namespace {

constexpr Duration kLongestPause = std::chrono::minutes(1);

}  // namespace

Outage::Outage(const RoutePlan& plan, Clock& clock, Random& random, const Log& log)
    : plan_(plan), clock_(clock), random_(random), log_(log) {}

Task<std::size_t> Outage::may_take(std::size_t most) {
  using namespace boost::asio::experimental::awaitable_operators;
  while (now_ && clock_.now() < until_) {
    co_await (changed_.wait() || clock_.sleep_until(until_));
  }
  if (!now_) co_return most;
  pause({});
  co_return 1;
}

void Outage::got_through() {
  last_through_ = clock_.now();
  if (!now_) return;
  log_.info("route goes on", {{"route", plan_.name}, {"paused_since", format_time(now_->since)}});
  now_.reset();
  pauses_ = 0;
  changed_.notify_all();
}

Settled Outage::failed(const TakenTask& task, Time begun, const Error& error) {
  Settled settled{.id = task.id, .kind = error.kind(), .error = error.what()};
  if (is_storewide(task, begun, error)) {
    settled.how = Settled::How::kRetry;
    settled.due = clock_.now();
    settled.costs_attempt = false;
    if (!now_) {
      now_ = Hindrance{error.what(), clock_.now()};
      log_.warning("route pauses: nothing gets through; it tries on, and this costs no attempts",
                   {{"route", plan_.name}, {"error", error.what()}});
      pause(error.retry_after());
    }
    now_->error = error.what();
    return settled;
  }
  const bool may_help =
      error.kind() == ErrorKind::kTransient || error.kind() == ErrorKind::kConflict;
  if (may_help && task.attempt < plan_.retry.attempts) {
    settled.how = Settled::How::kRetry;
    settled.due =
        clock_.now() + plan_.retry.backoff.pause(task.attempt, random_, error.retry_after());
  } else {
    settled.how = Settled::How::kDead;
  }
  return settled;
}

bool Outage::is_storewide(const TakenTask& task, Time begun, const Error& error) const {
  if (given_up_ || error.kind() != ErrorKind::kTransient) return false;
  // A task that failed before waits since its due time: whoever got through since then did what it
  // could not.
  return last_through_ <= (task.failed_before ? task.due : begun);
}

void Outage::pause(Duration at_least) {
  Backoff backoff = plan_.retry.backoff;
  backoff.cap = std::min(backoff.cap, kLongestPause);
  until_ = clock_.now() + backoff.pause(++pauses_, random_, at_least);
}

void Outage::give_up() {
  given_up_ = true;
  now_.reset();
  changed_.notify_all();
}

}  // namespace headrace
