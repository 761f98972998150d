#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/task.h"

namespace headrace {

/// How a program ended and what it wrote to its standard output.
struct ProgramResult {
  int exit_code = 0;  ///< 128 + the signal's number if one ended it.
  std::string output;
};

/// Runs `words[0]`, found along PATH, with the rest as its arguments, this process's environment,
/// an empty standard input and nowhere to write errors to. It is killed, with all of its group,
/// when `limit` has gone by or when more than `bytes` came (kInvalid), and when the task is
/// cancelled.
Task<ProgramResult> run_program(Clock& clock, std::vector<std::string> words, Duration limit,
                                std::size_t bytes);

}  // namespace headrace
