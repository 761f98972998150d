#pragma once

#include <string>

#include "app/stack_file.h"

namespace headrace {

/// The least IAM policy with which this stack can run, as JSON; with `setup`, also plan, apply and
/// destroy. Buckets that only events name (a source without `bucket`) can't be in it.
std::string iam_policy(const StackFile& stack, bool setup);

}  // namespace headrace
