#pragma once

#include <vector>

#include "core/task.h"

namespace headrace {

/// Runs tasks beside each other, on the caller's executor, until all have ended. The first that
/// throws cancels the others, and what it threw is thrown when all have ended; cancelling the
/// caller cancels all of them.
Task<> together(std::vector<Task<>> tasks);

}  // namespace headrace
