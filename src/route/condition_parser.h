#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "route/condition.h"
#include "route/json_tree.h"

namespace headrace {

/// The conditions of a field: the array of values and operators at the leaf of a pattern. Throws
/// kInvalid, naming `path`, for what is not in the language.
std::vector<Condition> parse_conditions(const JsonTree& array, const std::string& path);

/// Throws kInvalid: "field detail.size is a number: ... (byte 17)". No path: the whole pattern.
[[noreturn]] void refuse_pattern(const JsonTree& at, const std::string* path,
                                 std::string_view what);

}  // namespace headrace
