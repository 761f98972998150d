#pragma once

#include "app/stack_file.h"
#include "stack/diagnostics.h"

namespace headrace {

/// What no single field can know: names that must exist, patterns that must parse, routes that feed
/// each other. Adds errors and warnings at their places in the file.
void check_stack(const StackFile& stack, stack::Diagnostics& diagnostics);

}  // namespace headrace
