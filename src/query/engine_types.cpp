#include "query/engine_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace headrace {
namespace {

struct DestroyType {
  void operator()(duckdb_logical_type type) const { duckdb_destroy_logical_type(&type); }
};
using OwnedType = std::unique_ptr<std::remove_pointer_t<duckdb_logical_type>, DestroyType>;

std::string taken(char* text) {
  std::string out = text ? text : "";
  duckdb_free(text);
  return out;
}

/// Types without parts, by name.
constexpr std::pair<duckdb_type, std::string_view> kPlainNames[] = {
    {DUCKDB_TYPE_BOOLEAN, "BOOLEAN"},
    {DUCKDB_TYPE_TINYINT, "TINYINT"},
    {DUCKDB_TYPE_SMALLINT, "SMALLINT"},
    {DUCKDB_TYPE_INTEGER, "INTEGER"},
    {DUCKDB_TYPE_BIGINT, "BIGINT"},
    {DUCKDB_TYPE_UTINYINT, "UTINYINT"},
    {DUCKDB_TYPE_USMALLINT, "USMALLINT"},
    {DUCKDB_TYPE_UINTEGER, "UINTEGER"},
    {DUCKDB_TYPE_UBIGINT, "UBIGINT"},
    {DUCKDB_TYPE_FLOAT, "FLOAT"},
    {DUCKDB_TYPE_DOUBLE, "DOUBLE"},
    {DUCKDB_TYPE_TIMESTAMP, "TIMESTAMP"},
    {DUCKDB_TYPE_DATE, "DATE"},
    {DUCKDB_TYPE_TIME, "TIME"},
    {DUCKDB_TYPE_INTERVAL, "INTERVAL"},
    {DUCKDB_TYPE_HUGEINT, "HUGEINT"},
    {DUCKDB_TYPE_UHUGEINT, "UHUGEINT"},
    {DUCKDB_TYPE_VARCHAR, "VARCHAR"},
    {DUCKDB_TYPE_BLOB, "BLOB"},
    {DUCKDB_TYPE_TIMESTAMP_S, "TIMESTAMP_S"},
    {DUCKDB_TYPE_TIMESTAMP_MS, "TIMESTAMP_MS"},
    {DUCKDB_TYPE_TIMESTAMP_NS, "TIMESTAMP_NS"},
    {DUCKDB_TYPE_ENUM, "ENUM"},
    {DUCKDB_TYPE_UUID, "UUID"},
    {DUCKDB_TYPE_BIT, "BIT"},
    {DUCKDB_TYPE_TIME_TZ, "TIME WITH TIME ZONE"},
    {DUCKDB_TYPE_TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE"},
    {DUCKDB_TYPE_BIGNUM, "BIGNUM"},
    {DUCKDB_TYPE_SQLNULL, "NULL"},
    {DUCKDB_TYPE_TIME_NS, "TIME_NS"},
    {DUCKDB_TYPE_GEOMETRY, "GEOMETRY"},
    {DUCKDB_TYPE_VARIANT, "VARIANT"},
};

std::string members(const EngineType& type) {
  std::string out;
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    if (i > 0) out += ", ";
    out += type.names[i] + " " + type_name(type.children[i]);
  }
  return out;
}

EngineType child(duckdb_logical_type owned) {
  const OwnedType type(owned);
  return engine_type(type.get());
}

void read_enum(EngineType& out, duckdb_logical_type type) {
  out.internal = duckdb_enum_internal_type(type);
  for (idx_t i = 0; i < duckdb_enum_dictionary_size(type); ++i) {
    out.names.push_back(taken(duckdb_enum_dictionary_value(type, i)));
  }
}

void read_struct(EngineType& out, duckdb_logical_type type) {
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    out.names.push_back(taken(duckdb_struct_type_child_name(type, i)));
    out.children.push_back(child(duckdb_struct_type_child_type(type, i)));
  }
}

void read_union(EngineType& out, duckdb_logical_type type) {
  for (idx_t i = 0; i < duckdb_union_type_member_count(type); ++i) {
    out.names.push_back(taken(duckdb_union_type_member_name(type, i)));
    out.children.push_back(child(duckdb_union_type_member_type(type, i)));
  }
}

}  // namespace

EngineType engine_type(duckdb_logical_type type) {
  EngineType out;
  out.id = duckdb_get_type_id(type);
  switch (out.id) {
    case DUCKDB_TYPE_VARCHAR:
      out.json = taken(duckdb_logical_type_get_alias(type)) == "JSON";
      break;
    case DUCKDB_TYPE_DECIMAL:
      out.width = duckdb_decimal_width(type);
      out.scale = duckdb_decimal_scale(type);
      out.internal = duckdb_decimal_internal_type(type);
      break;
    case DUCKDB_TYPE_ENUM:
      read_enum(out, type);
      break;
    case DUCKDB_TYPE_LIST:
      out.children.push_back(child(duckdb_list_type_child_type(type)));
      break;
    case DUCKDB_TYPE_ARRAY:
      out.children.push_back(child(duckdb_array_type_child_type(type)));
      out.array_size = duckdb_array_type_array_size(type);
      break;
    case DUCKDB_TYPE_MAP:
      out.children.push_back(child(duckdb_map_type_key_type(type)));
      out.children.push_back(child(duckdb_map_type_value_type(type)));
      break;
    case DUCKDB_TYPE_STRUCT:
      read_struct(out, type);
      break;
    case DUCKDB_TYPE_UNION:
      read_union(out, type);
      break;
    default:
      break;
  }
  return out;
}

EngineType vector_type(duckdb_vector vector) {
  return child(duckdb_vector_get_column_type(vector));
}

std::string type_name(const EngineType& type) {
  if (type.json) return "JSON";
  switch (type.id) {
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("DECIMAL({},{})", type.width, type.scale);
    case DUCKDB_TYPE_LIST:
      return type_name(type.children[0]) + "[]";
    case DUCKDB_TYPE_ARRAY:
      return fmt::format("{}[{}]", type_name(type.children[0]), type.array_size);
    case DUCKDB_TYPE_MAP:
      return fmt::format("MAP({}, {})", type_name(type.children[0]), type_name(type.children[1]));
    case DUCKDB_TYPE_STRUCT:
      return "STRUCT(" + members(type) + ")";
    case DUCKDB_TYPE_UNION:
      return "UNION(" + members(type) + ")";
    default:
      break;
  }
  for (const auto& [id, name] : kPlainNames) {
    if (id == type.id) return std::string(name);
  }
  return "UNKNOWN";
}

bool EngineType::opaque() const {
  switch (id) {
    case DUCKDB_TYPE_INVALID:
    case DUCKDB_TYPE_ANY:
    case DUCKDB_TYPE_BIGNUM:
    case DUCKDB_TYPE_STRING_LITERAL:
    case DUCKDB_TYPE_INTEGER_LITERAL:
    case DUCKDB_TYPE_GEOMETRY:
    case DUCKDB_TYPE_VARIANT:
      return true;
    default:
      return std::ranges::any_of(children, &EngineType::opaque);
  }
}

bool EngineType::numeric() const {
  switch (id) {
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_BIGNUM:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
      return true;
    default:
      return false;
  }
}

}  // namespace headrace
