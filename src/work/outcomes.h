#pragma once

#include <cstdint>
#include <utility>

#include "step/step.h"

namespace headrace {

/// Tasks of a route that ended well without doing their work, since the start.
struct OutcomeCounters {
  std::uint64_t skipped = 0;     ///< There was nothing to do.
  std::uint64_t gone = 0;        ///< The object was deleted between its event and its read.
  std::uint64_t superseded = 0;  ///< It was overwritten meanwhile, which has an event of its own.

  void count(Outcome outcome) {
    switch (outcome) {
      case Outcome::kDone:
        return;
      case Outcome::kSkipped:
        ++skipped;
        return;
      case Outcome::kGone:
        ++gone;
        return;
      case Outcome::kSuperseded:
        ++superseded;
        return;
    }
    std::unreachable();
  }
  bool any() const { return skipped + gone + superseded > 0; }
  OutcomeCounters& operator+=(const OutcomeCounters& other) {
    skipped += other.skipped;
    gone += other.gone;
    superseded += other.superseded;
    return *this;
  }
};

}  // namespace headrace
