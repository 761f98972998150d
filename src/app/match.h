#pragma once

#include <filesystem>

#include "route/match_spec.h"
#include "stack/values.h"

namespace headrace {

/// A route's `match:` as a pattern. The files of values it names are read beside the stack file.
/// Throws kInvalid.
MatchSpec match_of(const std::filesystem::path& folder, const stack::Json& match);

/// A `match:` that says nothing of types, with deletions let through besides creations; any other
/// as it is.
std::string with_deletions(const std::string& match);

/// What of a `match:` matters to a table that follows its objects.
struct MatchWords {
  bool size = false;       ///< It asks for a size.
  bool deletions = false;  ///< It names deletions.
};
MatchWords words_of(const std::string& match);

}  // namespace headrace
