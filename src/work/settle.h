#pragma once

#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "step/step.h"
#include "work/route_plan.h"

namespace headrace {

/// One dead letter per line that a try of the task found bad: the event with the line in it, so
/// that a redrive brings only that.
std::vector<NewDeadLetter> dead_letters_of(const RoutePlan& plan, const TakenTask& task,
                                           const Event& event, const std::vector<DeadLine>& lines);

}  // namespace headrace
