#include "query/engine_cells.h"

#include <cstring>
#include <utility>

#include "core/json.h"
#include "query/engine_text.h"

namespace headrace {
namespace {

template <class Value>
Value value_at(duckdb_vector vector, idx_t row) {
  return static_cast<const Value*>(duckdb_vector_get_data(vector))[row];
}

bool is_null(duckdb_vector vector, idx_t row) {
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

std::string_view string_at(duckdb_vector vector, idx_t row) {
  auto* strings = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  return {duckdb_string_t_data(&strings[row]), duckdb_string_t_length(strings[row])};
}

Int128 wide(duckdb_hugeint value) {
  return static_cast<Int128>(static_cast<UInt128>(static_cast<std::uint64_t>(value.upper)) << 64 |
                             value.lower);
}

UInt128 wide(duckdb_uhugeint value) {
  return static_cast<UInt128>(value.upper) << 64 | value.lower;
}

/// A signed integer of any width, as stored for integers and decimals.
Int128 integer_at(duckdb_type storage, duckdb_vector vector, idx_t row) {
  switch (storage) {
    case DUCKDB_TYPE_TINYINT:
      return value_at<std::int8_t>(vector, row);
    case DUCKDB_TYPE_SMALLINT:
      return value_at<std::int16_t>(vector, row);
    case DUCKDB_TYPE_INTEGER:
      return value_at<std::int32_t>(vector, row);
    case DUCKDB_TYPE_BIGINT:
      return value_at<std::int64_t>(vector, row);
    default:
      return wide(value_at<duckdb_hugeint>(vector, row));
  }
}

UInt128 unsigned_at(duckdb_type storage, duckdb_vector vector, idx_t row) {
  switch (storage) {
    case DUCKDB_TYPE_UTINYINT:
      return value_at<std::uint8_t>(vector, row);
    case DUCKDB_TYPE_USMALLINT:
      return value_at<std::uint16_t>(vector, row);
    case DUCKDB_TYPE_UINTEGER:
      return value_at<std::uint32_t>(vector, row);
    case DUCKDB_TYPE_UBIGINT:
      return value_at<std::uint64_t>(vector, row);
    default:
      return wide(value_at<duckdb_uhugeint>(vector, row));
  }
}

/// Appends a number or boolean as JSON; false if the type is no such thing. A float that JSON has
/// no number for is appended too, and answers false.
bool append_literal(std::string& out, const EngineType& type, duckdb_vector vector, idx_t row) {
  switch (type.id) {
    case DUCKDB_TYPE_BOOLEAN:
      out += value_at<bool>(vector, row) ? "true" : "false";
      return true;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_HUGEINT:
      append_integer(out, integer_at(type.id, vector, row));
      return true;
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_UHUGEINT:
      append_unsigned(out, unsigned_at(type.id, vector, row));
      return true;
    case DUCKDB_TYPE_FLOAT:
      return append_float(out, value_at<float>(vector, row));
    case DUCKDB_TYPE_DOUBLE:
      return append_double(out, value_at<double>(vector, row));
    case DUCKDB_TYPE_DECIMAL:
      append_decimal(out, integer_at(type.internal, vector, row), type.scale);
      return true;
    default:
      return false;
  }
}

void append_time(std::string& out, const EngineType& type, duckdb_vector vector, idx_t row) {
  switch (type.id) {
    case DUCKDB_TYPE_DATE:
      return append_date(out, value_at<duckdb_date>(vector, row));
    case DUCKDB_TYPE_TIME:
      return append_time_of_day(out, value_at<std::int64_t>(vector, row), 1'000'000);
    case DUCKDB_TYPE_TIME_NS:
      return append_time_of_day(out, value_at<std::int64_t>(vector, row), 1'000'000'000);
    case DUCKDB_TYPE_TIME_TZ:
      return append_time_tz(out, value_at<duckdb_time_tz>(vector, row));
    case DUCKDB_TYPE_TIMESTAMP_S:
      return append_timestamp(out, value_at<std::int64_t>(vector, row), 1, "");
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return append_timestamp(out, value_at<std::int64_t>(vector, row), 1'000, "");
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return append_timestamp(out, value_at<std::int64_t>(vector, row), 1'000'000'000, "");
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return append_timestamp(out, value_at<std::int64_t>(vector, row), 1'000'000, "+00");
    default:
      return append_timestamp(out, value_at<std::int64_t>(vector, row), 1'000'000, "");
  }
}

void append_text(std::string& out, const EngineType& type, duckdb_vector vector, idx_t row) {
  switch (type.id) {
    case DUCKDB_TYPE_VARCHAR:
      out += string_at(vector, row);
      break;
    case DUCKDB_TYPE_BLOB:
      append_blob(out, string_at(vector, row));
      break;
    case DUCKDB_TYPE_BIT:
      append_bits(out, string_at(vector, row));
      break;
    case DUCKDB_TYPE_UUID:
      append_uuid(out, value_at<duckdb_hugeint>(vector, row));
      break;
    case DUCKDB_TYPE_INTERVAL:
      append_interval(out, value_at<duckdb_interval>(vector, row));
      break;
    case DUCKDB_TYPE_ENUM:
      out += type.names.at(static_cast<std::size_t>(unsigned_at(type.internal, vector, row)));
      break;
    default:
      append_time(out, type, vector, row);
  }
}

/// JSON without the blanks between its tokens, so that it stays on one line.
void append_compact(std::string& out, std::string_view json) {
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (!quoted && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) continue;
    out += c;
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\' && i + 1 < json.size()) out += json[++i];
  }
}

void append_elements(std::string& out, const EngineType& element, duckdb_vector elements,
                     idx_t from, idx_t count) {
  out += '[';
  for (idx_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    append_json_value(out, element, elements, from + i);
  }
  out += ']';
}

void append_struct(std::string& out, const EngineType& type, duckdb_vector vector, idx_t row) {
  out += '{';
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, type.names[i]);
    out += ':';
    append_json_value(out, type.children[i], duckdb_struct_vector_get_child(vector, i), row);
  }
  out += '}';
}

/// An object whose names are the keys as text.
void append_map(std::string& out, const EngineType& type, duckdb_vector vector, idx_t row) {
  const auto entries = value_at<duckdb_list_entry>(vector, row);
  const duckdb_vector pairs = duckdb_list_vector_get_child(vector);
  const duckdb_vector keys = duckdb_struct_vector_get_child(pairs, 0);
  const duckdb_vector values = duckdb_struct_vector_get_child(pairs, 1);
  out += '{';
  for (idx_t i = entries.offset; i < entries.offset + entries.length; ++i) {
    if (i > entries.offset) out += ',';
    append_json_string(out, read_cell(type.children[0], keys, i).text);
    out += ':';
    append_json_value(out, type.children[1], values, i);
  }
  out += '}';
}

void append_nested(std::string& out, const EngineType& type, duckdb_vector vector, idx_t row) {
  switch (type.id) {
    case DUCKDB_TYPE_LIST: {
      const auto entry = value_at<duckdb_list_entry>(vector, row);
      append_elements(out, type.children[0], duckdb_list_vector_get_child(vector), entry.offset,
                      entry.length);
      break;
    }
    case DUCKDB_TYPE_ARRAY:
      append_elements(out, type.children[0], duckdb_array_vector_get_child(vector),
                      row * type.array_size, type.array_size);
      break;
    case DUCKDB_TYPE_MAP:
      append_map(out, type, vector, row);
      break;
    case DUCKDB_TYPE_UNION: {
      // Stored as a struct whose first member is the tag; shown as the member it holds.
      const auto tag = value_at<std::uint8_t>(duckdb_struct_vector_get_child(vector, 0), row);
      append_json_value(out, type.children.at(tag),
                        duckdb_struct_vector_get_child(vector, tag + 1u), row);
      break;
    }
    default:
      append_struct(out, type, vector, row);
  }
}

}  // namespace

Cell read_cell(const EngineType& type, duckdb_vector vector, idx_t row) {
  if (type.id == DUCKDB_TYPE_SQLNULL || is_null(vector, row)) return Cell::null();
  std::string text;
  if (type.nested()) {
    append_nested(text, type, vector, row);
    return Cell::literal(std::move(text));
  }
  if (type.json) {
    append_compact(text, string_at(vector, row));
    return Cell::literal(std::move(text));
  }
  if (append_literal(text, type, vector, row)) return Cell::literal(std::move(text));
  if (text.empty()) append_text(text, type, vector, row);
  return Cell::of_text(std::move(text));
}

void append_json_value(std::string& out, const EngineType& type, duckdb_vector vector, idx_t row) {
  if (type.nested() && !is_null(vector, row)) {
    append_nested(out, type, vector, row);
    return;
  }
  const Cell cell = read_cell(type, vector, row);
  switch (cell.kind) {
    case CellKind::kNull:
      out += "null";
      break;
    case CellKind::kText:
      append_json_string(out, cell.text);
      break;
    case CellKind::kLiteral:
      out += cell.text;
      break;
  }
}

}  // namespace headrace
