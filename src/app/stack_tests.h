#pragma once

#include <string>
#include <vector>

#include "app/stack_file.h"
#include "core/log.h"

namespace headrace {

/// Runs one of the stack's tests with stores and ledger in memory: puts the object, hands its event
/// to the route at once (without its delay), works until nothing is left, and compares. Returns
/// what was not as expected, one sentence each; empty means it passed.
std::vector<std::string> run_stack_test(const StackFile& stack, const TestConfig& test,
                                        const Log& log);

}  // namespace headrace
