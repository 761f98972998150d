#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "ledger/ledger.h"
#include "step/step.h"
#include "work/route_plan.h"

namespace headrace {

/// What becomes of a task whose work threw: again after a jittered pause while attempts are left
/// and another try can help (transient, conflict), a dead letter otherwise.
Settled settle_failure(const RoutePlan& plan, const TakenTask& task, const Error& error,
                       Clock& clock, Random& random);

/// One dead letter per line that a try of the task found bad: the event with the line in it, so
/// that a redrive brings only that.
std::vector<NewDeadLetter> dead_letters_of(const RoutePlan& plan, const TakenTask& task,
                                           const Event& event, const std::vector<DeadLine>& lines);

}  // namespace headrace
