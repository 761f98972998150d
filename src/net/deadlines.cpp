#include "net/deadlines.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include "core/error.h"

namespace headrace {

struct Deadlines::State {
  State(Executor e, Clock& c, Duration p) : executor(std::move(e)), clock(c), period(p) {}
  Executor executor;
  Clock& clock;
  Duration period;
  std::list<Watch*> watches;
  boost::asio::cancellation_signal stop;
  bool sweeping = false;
};

Deadlines::Watch::Watch(Deadlines& deadlines, std::function<void()> expire)
    : state_(deadlines.state_), expire_(std::move(expire)) {
  place_ = state_->watches.insert(state_->watches.end(), this);
  if (state_->sweeping) return;
  state_->sweeping = true;
  boost::asio::co_spawn(state_->executor, sweep(state_),
                        boost::asio::bind_cancellation_slot(
                            state_->stop.slot(), [state = state_](const std::exception_ptr&) {}));
}

Deadlines::Watch::~Watch() { state_->watches.erase(place_); }

void Deadlines::Watch::start(Duration span) { due_ = state_->clock.monotonic() + span; }

Deadlines::Deadlines(Executor executor, Clock& clock, Duration period)
    : state_(std::make_shared<State>(std::move(executor), clock, period)) {}

Deadlines::~Deadlines() { state_->stop.emit(boost::asio::cancellation_type::terminal); }

Task<> Deadlines::sweep(std::shared_ptr<State> state) {
  while (!state->watches.empty()) {
    co_await state->clock.sleep(state->period);
    expire_due(*state);
  }
  state->sweeping = false;
}

void Deadlines::expire_due(State& state) {
  const Duration now = state.clock.monotonic();
  for (auto at = state.watches.begin(); at != state.watches.end();) {
    Watch& watch = **at++;
    if (watch.due_ > now) continue;
    watch.expired_ = true;
    watch.stop();
    const auto expire = watch.expire_;  // Outlives the watch, should it be destroyed.
    expire();
  }
}

}  // namespace headrace
