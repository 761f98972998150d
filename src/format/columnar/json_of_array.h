#pragma once

#include <string>

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace headrace {

/// Throws kInvalid if a column has a type that has no form in JSON here.
void check_json_form(const arrow::Schema& schema);

/// Appends each row as a line of JSON: ColumnarLines says how.
void append_json_lines(std::string& out, const arrow::RecordBatch& batch);

}  // namespace headrace
