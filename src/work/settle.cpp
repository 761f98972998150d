#include "work/settle.h"

#include <fmt/format.h>

namespace headrace {

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
