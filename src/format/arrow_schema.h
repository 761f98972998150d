#pragma once

#include <memory>

#include "format/schema.h"

namespace arrow {
class Schema;
}  // namespace arrow

namespace headrace {

/// The schema as Arrow has it. Field ids ride along as "PARQUET:field_id", metadata other than {}
/// as "headrace.metadata", both in the metadata of Arrow's fields.
std::shared_ptr<arrow::Schema> to_arrow(const Schema& schema);

/// The reverse, for schemas that Parquet files and queries bring. Large and view types,
/// dictionaries and the unit of a timestamp make no difference; who moves values casts them. Throws
/// kInvalid for types that Delta has no counterpart for (unsigned numbers, times of day, unions,
/// null), naming the column and what to cast to.
Schema from_arrow(const arrow::Schema& schema);

}  // namespace headrace
