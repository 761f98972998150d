#include "work/settle.h"

#include <fmt/format.h>

namespace headrace {

Settled settle_failure(const RoutePlan& plan, const TakenTask& task, const Error& error,
                       Clock& clock, Random& random) {
  const bool may_help =
      error.kind() == ErrorKind::kTransient || error.kind() == ErrorKind::kConflict;
  Settled settled{.id = task.id, .kind = error.kind(), .error = error.what()};
  if (may_help && task.attempt < plan.retry.attempts) {
    settled.how = Settled::How::kRetry;
    settled.due = clock.now() + plan.retry.backoff.pause(task.attempt, random, error.retry_after());
  } else {
    settled.how = Settled::How::kDead;
  }
  return settled;
}

std::vector<NewDeadLetter> dead_letters_of(const RoutePlan& plan, const TakenTask& task,
                                           const Event& event, const std::vector<DeadLine>& lines) {
  std::vector<NewDeadLetter> letters;
  letters.reserve(lines.size());
  for (const DeadLine& line : lines) {
    Event one = event;
    one.line = Event::Line{line.number, line.text};
    letters.push_back({plan.id, to_json(one), ErrorKind::kCorrupt,
                       fmt::format("line {}: {}", line.number, line.reason), task.attempt});
  }
  return letters;
}

}  // namespace headrace
