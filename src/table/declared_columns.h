#pragma once

#include "format/schema.h"
#include "table/table_config.h"

namespace headrace {

/// What a table's rows are read into: its columns as they are, and those that the stack declares
/// and it has not got yet, in the stack's order. Throws kInvalid if a declared type is not the
/// column's.
Schema with_declared_columns(Schema known, const TableConfig& config);

}  // namespace headrace
