#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "format/lines_to_parquet.h"

namespace headrace {

/// For tests: the rows of a Parquet file, each as JSON, read by Arrow's reader. Moments are texts
/// in UTC, decimals numbers with all their digits, binary hexadecimal; a map is an object.
std::vector<std::string> read_back(const Bytes& parquet);

/// For tests: what some lines came to.
struct Converted {
  std::string schema;             ///< "a:long,b:string"
  std::vector<std::string> rows;  ///< Of all files, in order.
  std::vector<ParquetFile> files;
  ObjectRows object;  ///< Of the last object.
  std::uint64_t rescued = 0;
};

/// Converts `lines` as one object.
Converted convert(std::string_view lines, ConvertOptions options = {});
/// Ends a conversion whose objects have been written.
Converted finish(LinesToParquet& convert);

std::string to_string(const Schema& schema);

/// A schema of nullable columns: {{"a", TypeKind::kLong}, ...}.
Schema schema_of(std::initializer_list<Field> fields);
Field field_of(std::string name, TypeKind kind);

}  // namespace headrace
