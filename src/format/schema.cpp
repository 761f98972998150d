#include "format/schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace headrace {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view name_of(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kByte:
      return "byte";
    case TypeKind::kShort:
      return "short";
    case TypeKind::kInteger:
      return "integer";
    case TypeKind::kLong:
      return "long";
    case TypeKind::kFloat:
      return "float";
    case TypeKind::kDouble:
      return "double";
    case TypeKind::kDecimal:
      return "decimal";
    case TypeKind::kString:
      return "string";
    case TypeKind::kBinary:
      return "binary";
    case TypeKind::kDate:
      return "date";
    case TypeKind::kTimestamp:
      return "timestamp";
    case TypeKind::kTimestampNtz:
      return "timestamp_ntz";
    case TypeKind::kStruct:
      return "struct";
    case TypeKind::kList:
      return "array";
    case TypeKind::kMap:
      return "map";
  }
  return "?";
}

}  // namespace

const Field* Schema::find(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

const Field* Schema::find_ignoring_case(std::string_view name) const {
  const auto same = [&](const Field& field) { return equal_ignoring_case(field.name, name); };
  const auto found = std::ranges::find_if(fields, same);
  return found == fields.end() ? nullptr : &*found;
}

std::string to_string(const DataType& type) {
  if (type.kind == TypeKind::kDecimal) {
    return fmt::format("decimal({},{})", type.precision, type.scale);
  }
  std::string text(name_of(type.kind));
  if (type.fields.empty()) return type.kind == TypeKind::kStruct ? text + "<>" : text;
  const char* separator = "<";
  for (const Field& field : type.fields) {
    text += separator;
    if (type.kind == TypeKind::kStruct) text += field.name + ":";
    text += to_string(field.type);
    separator = ",";
  }
  return text + ">";
}

}  // namespace headrace
