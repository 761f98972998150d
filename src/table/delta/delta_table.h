#pragma once

#include <memory>
#include <string>

#include "table/table.h"

namespace headrace {

/// The Delta table at bucket/prefix, there already or not; an empty prefix is the whole bucket.
/// docs/formats/delta.md tells what is read and written.
std::unique_ptr<Table> open_delta_table(Store& store, std::string bucket, std::string prefix,
                                        TableOptions options, Clock& clock, Random& random);

}  // namespace headrace
