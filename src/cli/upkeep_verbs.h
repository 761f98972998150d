#pragma once

#include "cli/cli.h"

namespace headrace {

/// Adds optimize, delete and update to the verb `table`.
void add_upkeep_verbs(CLI::App& table, Cli& cli);

}  // namespace headrace
