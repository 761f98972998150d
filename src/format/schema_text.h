#pragma once

#include <optional>
#include <string_view>

#include "format/schema.h"

namespace headrace {

/// A column's type out of what to_string(DataType) writes: "long", "decimal(10,2)",
/// "struct<a:long,b:array<string>>", "map<string,date>". Spaces do not matter, and neither do
/// capital letters of type names. nullopt if it is none. At most 100 levels deep.
std::optional<DataType> parse_type(std::string_view text);

}  // namespace headrace
