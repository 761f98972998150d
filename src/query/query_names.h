#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// The table that an engine's message says does not exist; nullopt for any other message.
std::optional<std::string> missing_table(std::string_view message);

/// The engine's message about a missing table with our names instead of its own guess: the nearest
/// one, and those there are.
std::string with_known_names(std::string_view message, std::string_view missing,
                             const std::vector<std::string>& known);

/// The name of `known` that is `name` but for case, if exactly one is.
std::optional<std::string> same_ignoring_case(std::string_view name,
                                              const std::vector<std::string>& known);

}  // namespace headrace
