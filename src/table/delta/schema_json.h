#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "format/schema.h"

namespace headrace::delta {

/// Reads metaData.schemaString. Metadata of fields is kept byte for byte. Throws kCorrupt for what
/// is no schema, and kInvalid naming the column for a type that no row of ours can have (void,
/// variant, intervals).
Schema parse_schema(std::string_view json);

/// The reverse: parse_schema(schema_json(s)) == s, but for field ids, which Delta has no place for.
std::string schema_json(const Schema& schema);

/// A primitive type by Delta's name ("long", "decimal(10,2)"); nullopt if there is none.
std::optional<DataType> parse_primitive(std::string_view name);

}  // namespace headrace::delta
