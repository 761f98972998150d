#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "stack/diagnostics.h"
#include "stack/node.h"

namespace headrace::stack {

/// What a stack file may hold at most, so that no file costs more than its operator meant.
inline constexpr std::size_t kMostBytes = 4 << 20;
inline constexpr std::size_t kMostNodes = 250'000;
inline constexpr std::size_t kDeepest = 64;

/// Reads the JSON-shaped part of YAML: maps with text keys, lists and scalars, one document.
/// Refused with their place are anchors, aliases, merge keys, tags, further documents, a key given
/// twice, and bytes that are no UTF-8 text. Stops at the first error, which goes to `diagnostics`.
std::optional<Node> parse_yaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace headrace::stack
