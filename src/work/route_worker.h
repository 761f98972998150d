#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/signal.h"
#include "ledger/ledger.h"
#include "work/outage.h"
#include "work/outcomes.h"
#include "work/rate.h"
#include "work/route_plan.h"
#include "work/settle.h"
#include "work/sink_worker.h"

namespace headrace {

/// Works one route: takes its due tasks, runs their steps side by side up to the route's
/// concurrency and rate, settles each by how it ended, and hands tasks to the sink if there is one.
/// Pauses while nothing gets through (outage.h).
///
/// Threads  One executor (services.executor).
class RouteWorker {
 public:
  RouteWorker(const RoutePlan& plan, Ledger& ledger, StepServices services, Slots& batches,
              const Log& log);

  /// Resolves what an earlier process left of the sink's batches, then takes and works until
  /// cancelled (throws kCancelled).
  Task<> run();
  /// From now on it is for the end: batches are made at once, and no failure is waited out.
  void drain();
  /// After run() was cancelled: waits for what runs, gives back what only waits.
  Task<> finish();

  /// Tasks whose steps run, or wait for the sink to have room.
  std::size_t running() const { return running_; }
  /// The latest due time given to a task that failed and will be tried again.
  Time latest_retry() const;
  /// Those of the sink too.
  OutcomeCounters outcomes() const;
  const SinkWorker* sink() const { return sink_.get(); }
  const Outage& outage() const { return outage_; }

 private:
  Task<> take_loop();
  Task<> work(TakenTask task);
  Task<> run_steps(TakenTask task);
  Task<StepResult> run_each(TaskContext& context);
  Task<bool> tagged_out(const TaskContext& context);
  Task<> settle(TakenTask task, TaskContext context, StepResult result);
  Task<> write(LedgerWrite write);

  const RoutePlan& plan_;
  Ledger& ledger_;
  StepServices services_;
  const Log& log_;
  Slots slots_;
  std::size_t running_ = 0;
  Rate rate_;
  Outage outage_;
  Time latest_retry_;
  OutcomeCounters outcomes_;
  std::unique_ptr<SinkWorker> sink_;
};

}  // namespace headrace
