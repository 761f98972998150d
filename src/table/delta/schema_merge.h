#pragma once

#include <string_view>

#include "format/schema.h"

namespace headrace::delta {

/// The table's columns after an append whose files have the columns `incoming`. Existing columns
/// keep place, spelling, nullability and metadata; new ones, also inside of structs, come last and
/// are nullable. byte, short and integer widen among themselves, since Parquet holds all three as
/// the same. Equal to `table` if nothing is new.
///
/// Throws kInvalid naming the column and both types for any other difference, for a column that
/// differs from one that is there only in case, and for new names that Delta does not allow: empty,
/// or holding one of " ,;{}()\n\t=".
Schema merge_schema(const Schema& table, const Schema& incoming);

/// What a table made of these columns has: the same, all nullable. Throws as above.
Schema new_schema(const Schema& incoming);

/// Does a column, or part of one, have this type?
bool uses_type(const Schema& schema, TypeKind kind);

}  // namespace headrace::delta
