#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

/// The types a column can have: Delta's, which Parquet and Arrow can both express.
enum class TypeKind : unsigned char {
  kBoolean,
  kByte,
  kShort,
  kInteger,
  kLong,
  kFloat,
  kDouble,
  kDecimal,  ///< precision 1-38, scale
  kString,
  kBinary,
  kDate,
  kTimestamp,     ///< Microseconds, UTC.
  kTimestampNtz,  ///< Microseconds without a zone.
  kStruct,        ///< fields
  kList,          ///< fields[0] is the element, named "element"
  kMap,           ///< fields[0] is the key, "key"; fields[1] the value, "value"
};

struct Field;

struct DataType {
  TypeKind kind = TypeKind::kString;
  int precision = 0;
  int scale = 0;
  std::vector<Field> fields;

  bool operator==(const DataType&) const = default;
};

/// A named column or struct member. `metadata` is a JSON object, kept byte for byte, because it may
/// hold what other writers put there.
struct Field {
  std::string name;
  DataType type;
  bool nullable = true;
  int field_id = 0;  ///< Parquet field id; 0 is none.
  std::string metadata = "{}";

  bool operator==(const Field&) const = default;
};

/// Columns in order. Names are unique without regard to case.
struct Schema {
  std::vector<Field> fields;

  const Field* find(std::string_view name) const;                ///< Exact spelling.
  const Field* find_ignoring_case(std::string_view name) const;  ///< ASCII case.
  bool operator==(const Schema&) const = default;
};

/// "long", "decimal(10,2)", "struct<a:long,b:array<string>>": for messages and `table show`.
std::string to_string(const DataType& type);

}  // namespace headrace
