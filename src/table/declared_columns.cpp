#include "table/declared_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "format/column_name.h"
#include "format/schema_text.h"

namespace headrace {
namespace {

/// The same but for what the stack does not say: field ids, metadata, nullability.
bool same_type(const DataType& a, const DataType& b) {
  return a.kind == b.kind && a.precision == b.precision && a.scale == b.scale &&
         std::ranges::equal(a.fields, b.fields, [](const Field& x, const Field& y) {
           return x.name == y.name && same_type(x.type, y.type);
         });
}

/// Keys become names that Delta allows, at any depth.
void name_columns(std::vector<Field>& fields) {
  for (Field& field : fields) {
    field.name = column_name_of(field.name);
    name_columns(field.type.fields);
  }
}

/// Types that rows of JSON cannot be read into.
std::string unreadable(const DataType& type) {
  if (type.kind == TypeKind::kStruct && type.fields.empty()) return "a struct has members";
  if (type.kind == TypeKind::kMap && type.fields[0].type.kind != TypeKind::kString) {
    return "the keys of a map are string";
  }
  for (const Field& field : type.fields) {
    if (std::string inner = unreadable(field.type); !inner.empty()) return inner;
  }
  return "";
}

}  // namespace

std::string wrong_column_types(const ColumnTypes& columns) {
  for (const auto& [name, text] : columns) {
    const auto type = parse_type(text.value);
    if (!type) {
      return fmt::format(
          "column {}: \"{}\" is no type; types are boolean, byte, short, integer, "
          "long, float, double, decimal(10,2), string, binary, date, timestamp, "
          "timestamp_ntz, array<long>, map<string,long>, struct<a:long,b:date>",
          name, text.value);
    }
    if (const std::string why = unreadable(*type); !why.empty()) {
      return fmt::format("column {}: \"{}\": {}", name, text.value, why);
    }
  }
  return "";
}

Schema with_declared_columns(Schema known, const TableConfig& config) {
  std::vector<const ColumnTypes::value_type*> declared;
  for (const auto& column : config.columns) declared.push_back(&column);
  std::ranges::sort(declared, {}, [](const auto* column) {
    return std::tuple(column->second.where.line, column->second.where.column);
  });
  for (const auto* column : declared) {
    Field field{.name = column->first, .type = *parse_type(column->second.value)};
    field.name = column_name_of(field.name);
    name_columns(field.type.fields);
    const Field* there = known.find_ignoring_case(field.name);
    if (there == nullptr) {
      known.fields.push_back(std::move(field));
    } else if (there->name != field.name || !same_type(there->type, field.type)) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("the stack says that column {} of table {} is {}, but the table has "
                              "{} {}: make the stack say the same, or make another table",
                              field.name, config.name, to_string(field.type), there->name,
                              to_string(there->type)));
    }
  }
  return known;
}

}  // namespace headrace
