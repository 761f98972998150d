#pragma once

#include <functional>
#include <optional>

#include "core/clock.h"
#include "core/task.h"

namespace headrace {

/// A sleep that can be ended from outside, on one executor: how a source waits and still hears
/// drain().
class Wake {
 public:
  /// Ends the wait, or the next one if nobody waits. Never blocks.
  void ring();
  /// Until ring(), until `due` if given, or until `other` ends if given. Throws kCancelled.
  Task<> wait(Clock& clock, std::optional<Time> due, std::function<Task<>()> other = {});

 private:
  struct Bell;
  Bell* bell_ = nullptr;  // Of the wait under way.
  bool rung_ = false;
};

}  // namespace headrace
