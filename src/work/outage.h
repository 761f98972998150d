#pragma once

#include <optional>
#include <string>

#include "core/log.h"
#include "core/random.h"
#include "core/signal.h"
#include "ledger/ledger.h"
#include "work/route_plan.h"

namespace headrace {

/// Why something waits, as it was told last, and since when.
struct Hindrance {
  std::string error;
  Time since;
};

/// What becomes of a route's tasks whose work threw, and when the route pauses.
///
/// A failure that another try may mend (transient: a store that is full, away or too slow) says
/// nothing about the task as long as no other task of the route gets through. It costs no attempt
/// then: the task goes back to the end of the queue, and the route pauses, longer each time, and
/// tries with one task until one gets through. A failure while others get through is the task's
/// own. Conflicts and all other failures always are.
///
/// Bounds   A pause is the route's backoff, and at most a minute.
/// Threads  One executor.
class Outage {
 public:
  /// All outlive it.
  Outage(const RoutePlan& plan, Clock& clock, Random& random, const Log& log);

  /// Why nothing gets through now, if so.
  const std::optional<Hindrance>& now() const { return now_; }

  /// How many of `most` tasks may be taken now; waits out a pause. At least one.
  Task<std::size_t> may_take(std::size_t most);
  /// A task did its work.
  void got_through();
  /// What becomes of a task whose work, begun at `begun`, threw: again while attempts are left and
  /// another try can help, a dead letter otherwise.
  Settled failed(const TakenTask& task, Time begun, const Error& error);
  /// From now on every failure costs an attempt and nothing pauses: somebody waits for the end.
  void give_up();

 private:
  bool is_storewide(const TakenTask& task, Time begun, const Error& error) const;
  void pause(Duration at_least);

  const RoutePlan& plan_;
  Clock& clock_;
  Random& random_;
  const Log& log_;
  Time last_through_;
  std::optional<Hindrance> now_;
  int pauses_ = 0;
  Time until_;
  bool given_up_ = false;
  Signal changed_;
};

}  // namespace headrace
