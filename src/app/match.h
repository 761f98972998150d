#pragma once

#include <filesystem>

#include "route/match_spec.h"
#include "stack/values.h"

namespace headrace {

/// A route's `match:` as a pattern. The files of values it names are read beside the stack file.
/// Throws kInvalid.
MatchSpec match_of(const std::filesystem::path& folder, const stack::Json& match);

}  // namespace headrace
