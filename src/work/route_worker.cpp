#include "work/route_worker.h"

#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "work/durably.h"

namespace headrace {
namespace {

constexpr std::size_t kTakeAtOnce = 256;

}  // namespace

RouteWorker::RouteWorker(const RoutePlan& plan, Ledger& ledger, StepServices services,
                         Slots& batches, const Log& log)
    : plan_(plan),
      ledger_(ledger),
      services_(services),
      log_(log),
      slots_(plan.concurrency),
      rate_(plan.rate_per_second, services.clock),
      outage_(plan, services.clock, services.random, log) {
  if (plan.sink) {
    sink_ = std::make_unique<SinkWorker>(plan, ledger, services, batches, outage_, log);
  }
}

Task<> RouteWorker::run() {
  using namespace boost::asio::experimental::awaitable_operators;
  if (sink_) {
    co_await sink_->recover();
    co_await (take_loop() && sink_->run());
  } else {
    co_await take_loop();
  }
}

Time RouteWorker::latest_retry() const {
  return sink_ ? std::max(latest_retry_, sink_->counters().latest_retry) : latest_retry_;
}

OutcomeCounters RouteWorker::outcomes() const {
  OutcomeCounters sum = outcomes_;
  if (sink_) sum += sink_->counters().outcomes;
  return sum;
}

void RouteWorker::drain() {
  outage_.give_up();
  if (sink_) sink_->drain();
}

Task<> RouteWorker::take_loop() {
  while (true) {
    const std::size_t slots = co_await slots_.acquire(kTakeAtOnce);
    std::size_t granted = 0;
    std::vector<TakenTask> tasks;
    std::exception_ptr stopped;
    try {
      granted = co_await rate_.acquire(co_await outage_.may_take(slots));
      auto take = [this, granted] { return ledger_.take(plan_.id, granted); };
      tasks = co_await durably(services_.clock, services_.random, log_, "take tasks", take);
    } catch (...) {
      stopped = std::current_exception();
    }
    rate_.refund(granted - std::min(granted, tasks.size()));
    slots_.release(slots - tasks.size());
    running_ += tasks.size();
    for (TakenTask& task : tasks) {
      boost::asio::co_spawn(services_.executor, work(std::move(task)), boost::asio::detached);
    }
    if (stopped) std::rethrow_exception(stopped);
  }
}

Task<> RouteWorker::work(TakenTask task) {
  const TaskId id = task.id;
  try {
    co_await run_steps(std::move(task));
  } catch (...) {
    // Settling itself failed for good: the lease stays with this process, a restart brings it back.
    log_.error("task left to the next start",
               {{"route", plan_.name},
                {"task", id.text()},
                {"error", to_error(std::current_exception()).what()}});
  }
  --running_;
  slots_.release(1);
}

Task<> RouteWorker::run_steps(TakenTask task) {
  std::optional<Error> failure;
  TaskContext context;
  StepResult result;
  const Time begun = services_.clock.now();
  try {
    context.event = event_from_json(task.body);
    context.route = plan_.name;
    context.attempt = task.attempt;
    context.object = context.event.object;
    context.etag = context.event.etag;
    result = co_await run_each(context);
    if (result.outcome == Outcome::kDone && sink_) {
      // The sink works on what the steps before it left.
      context.event.object = context.object;
      context.event.etag = context.etag;
      if (!context.store.empty()) context.event.store = context.store;
      co_await sink_->add(task, context.event, std::move(context.dead_lines));
      co_return;
    }
  } catch (...) {
    failure = to_error(std::current_exception());
  }
  if (!failure) {
    co_await settle(std::move(task), std::move(context), std::move(result));
    co_return;
  }
  if (failure->kind() == ErrorKind::kCancelled) {
    ledger_.give_back({task.id});
    co_return;
  }
  LedgerWrite write;
  write.settle.push_back(outage_.failed(task, begun, *failure));
  const bool died = write.settle[0].how == Settled::How::kDead;
  const bool costly = write.settle[0].costs_attempt;
  if (!died) latest_retry_ = std::max(latest_retry_, write.settle[0].due);
  co_await this->write(std::move(write));
  (log_.*(died     ? &Log::warning
          : costly ? &Log::info
                   : &Log::debug))(
      died ? "task is a dead letter now" : "task failed, will be tried again",
      {{"route", plan_.name},
       {"object", context.event.object.text()},
       {"attempt", task.attempt},
       {"kind", to_string(failure->kind())},
       {"error", failure->what()}});
}

Task<StepResult> RouteWorker::run_each(TaskContext& context) {
  if (co_await tagged_out(context)) co_return StepResult{Outcome::kSkipped, "tagged already"};
  StepResult result;
  for (const std::unique_ptr<Step>& step : plan_.steps) {
    result = co_await step->run(context);
    if (result.outcome != Outcome::kDone) break;
  }
  co_return result;
}

Task<bool> RouteWorker::tagged_out(const TaskContext& context) {
  if (plan_.unless_tagged.empty()) co_return false;
  const auto tags = co_await services_.stores.at(context.event.store).tags(context.object);
  if (!tags) co_return false;
  for (const std::string& name : plan_.unless_tagged) {
    if (tags->contains(name)) co_return true;
  }
  co_return false;
}

Task<> RouteWorker::settle(TakenTask task, TaskContext context, StepResult result) {
  LedgerWrite write;
  write.settle.push_back({.id = task.id});
  write.dead = dead_letters_of(plan_, task, context.event, context.dead_lines);
  if (result.outcome == Outcome::kDone) outage_.got_through();
  co_await this->write(std::move(write));
  outcomes_.count(result.outcome);
  log_.debug("task done", {{"route", plan_.name},
                           {"object", context.event.object.text()},
                           {"outcome", to_string(result.outcome)},
                           {"why", result.why}});
}

Task<> RouteWorker::write(LedgerWrite write) {
  auto put = [&] { return ledger_.write(write); };
  co_await durably(services_.clock, services_.random, log_, "settle a task", put);
}

Task<> RouteWorker::finish() {
  co_await slots_.all_free();
  if (sink_) co_await sink_->finish();
}

}  // namespace headrace
