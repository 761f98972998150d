#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/signal.h"
#include "ledger/ledger.h"
#include "step/step.h"
#include "work/outage.h"
#include "work/outcomes.h"
#include "work/route_plan.h"

namespace headrace {

/// Gathers a route's tasks by group and brings each batch through the sink exactly once:
/// prepare -> plan in the ledger -> commit -> settle and drop the plan in one ledger write.
/// A commit that threw, and a crash in between, are resolved: the sink brings the batch to its end
/// or says that nothing of it happened; it is settled then, or done again. As long as it can do
/// neither, the group waits. One batch of a group is under way at a time; its tasks stay taken
/// meanwhile.
///
/// Threads  One executor.
class SinkWorker {
 public:
  struct Counters {
    std::uint64_t commits = 0;
    std::uint64_t gathered = 0;  ///< Tasks waiting for a batch now.
    std::uint64_t left_out = 0;  ///< Rows that a filter did not want, in batches that were settled.
    OutcomeCounters outcomes;
    Time latest_retry;  ///< The latest due time given to a task that failed.
  };

  /// `batches` bounds the batches whose rows are in memory, over all sinks of the process; `outage`
  /// is the route's.
  SinkWorker(const RoutePlan& plan, Ledger& ledger, StepServices services, Slots& batches,
             Outage& outage, const Log& log);

  /// Settles or drops the plans an earlier process left, which may take as long as its store is
  /// away or refuses. Call once, before the first take.
  Task<> recover();
  /// Hands over a task; waits while too many are gathered.
  Task<> add(TakenTask task, Event event, std::vector<DeadLine> dead_lines);
  /// Commits batches as they fill or grow old; throws kCancelled when cancelled.
  Task<> run();
  /// From now on a batch is committed as soon as no task has been added for a moment.
  void drain();
  /// After run() was cancelled: waits for commits under way, gives back what is only gathered.
  Task<> finish();

  const Counters& counters() const { return counters_; }
  /// Groups with a batch of which the sink cannot yet say what became, by name.
  const std::map<std::string, Hindrance>& waiting() const { return waiting_; }

 private:
  struct Member {
    TakenTask task;
    Event event;
    std::vector<DeadLine> dead_lines;
  };
  struct Group {
    std::vector<Member> members;
    std::uint64_t bytes = 0;
    Time oldest;
    Time newest;
    bool busy = false;
  };

  bool ripe(const Group& group, Time now) const;
  Time deadline(const Group& group) const;
  void start_ripe();
  void start(const std::string& name, Group& group);
  Task<> commit_batch(std::string name, std::vector<Member> members);
  Task<std::optional<Error>> bring_through(const std::string& name, std::vector<Member>& members,
                                           Time begun);
  Task<std::unique_ptr<Sink::Prepared>> prepare(const std::string& name,
                                                std::vector<Member>& members);
  void put_back_later(const std::string& name, std::vector<Member>& members,
                      Sink::Prepared& prepared);
  Task<> write_plan(const std::string& name, const std::vector<Member>& members,
                    const Sink::Prepared& prepared);
  void add_dead_letters(const Member& member, const Sink::Item& item,
                        std::vector<NewDeadLetter>& out) const;
  Task<std::optional<Error>> commit(const std::string& name, Sink::Prepared& prepared);
  Task<bool> resolve(const std::string& group, const Bytes& plan);
  Task<> settle(const std::string& name, std::vector<Member>& members, Sink::Prepared& prepared,
                Time begun);
  Task<> fail(const std::string& name, std::vector<Member>& members, const Error& error,
              Time begun);
  Task<> write(LedgerWrite write);
  void note_retries(const LedgerWrite& write);
  std::string plan_key(const std::string& group) const;
  std::string app_id(const std::string& group) const;

  const RoutePlan& plan_;
  Ledger& ledger_;
  StepServices services_;
  Slots& batches_;
  Outage& outage_;
  const Log& log_;
  std::map<std::string, Group> groups_;
  std::map<std::string, Hindrance> waiting_;
  Signal changed_;
  std::size_t under_way_ = 0;
  bool draining_ = false;
  bool stopping_ = false;
  Counters counters_;
};

}  // namespace headrace
