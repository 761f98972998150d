#pragma once

#include <parquet/schema.h>

#include <memory>
#include <vector>

#include "format/schema.h"

namespace headrace::parquet_file {

/// The columns as Parquet describes them. All are optional, whatever the schema says, but the keys
/// of maps; lists have three levels and decimals the narrowest type.
std::shared_ptr<parquet::schema::GroupNode> parquet_schema(const std::vector<Field>& columns);

/// Bytes of a decimal's two's complement for precisions beyond 18.
int decimal_bytes(int precision);

}  // namespace headrace::parquet_file
