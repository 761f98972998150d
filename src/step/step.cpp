#include "step/step.h"

namespace headrace {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return "done";
    case Outcome::kSkipped:
      return "skipped";
    case Outcome::kGone:
      return "gone";
    case Outcome::kSuperseded:
      return "superseded";
  }
  return "?";
}

}  // namespace headrace
