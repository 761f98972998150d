#include "format/parquet/partition.h"

#include <fmt/format.h>

#include <limits>

#include "format/jsonl/moment.h"
#include "format/jsonl/number.h"
#include "format/parquet/values.h"

namespace headrace::parquet_file {
namespace {

std::optional<std::int64_t> whole_of_text(const std::string& text, std::int64_t least,
                                          std::int64_t most) {
  const auto whole = jsonl::parse_integer(text);
  return whole && *whole >= least && *whole <= most ? whole : std::nullopt;
}

std::optional<std::int64_t> whole_of_text(TypeKind kind, const std::string& text) {
  using Limits32 = std::numeric_limits<std::int32_t>;
  using Limits64 = std::numeric_limits<std::int64_t>;
  switch (kind) {
    case TypeKind::kByte:
      return whole_of_text(text, -128, 127);
    case TypeKind::kShort:
      return whole_of_text(text, -32768, 32767);
    case TypeKind::kInteger:
      return whole_of_text(text, Limits32::min(), Limits32::max());
    case TypeKind::kLong:
      return whole_of_text(text, Limits64::min(), Limits64::max());
    case TypeKind::kBoolean:
      if (text == "true") return 1;
      return text == "false" ? std::optional<std::int64_t>(0) : std::nullopt;
    case TypeKind::kDate:
      return jsonl::parse_date(text);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz: {
      jsonl::MomentParser parser;
      const auto moment = parser.parse(text);
      if (!moment || moment->zoned != (kind == TypeKind::kTimestamp)) return std::nullopt;
      return moment->micros;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> partition_value(const jsonl::Node& column, const jsonl::Cell& cell) {
  switch (column.kind) {
    case TypeKind::kString:
    case TypeKind::kBinary:
      if (cell.size == 0) return std::nullopt;
      return std::string(cell.view());
    case TypeKind::kBoolean:
      return cell.integer != 0 ? "true" : "false";
    case TypeKind::kFloat:
      return java_float_text(static_cast<float>(cell.real));
    case TypeKind::kDouble:
      return java_double_text(cell.real);
    case TypeKind::kDecimal:
      return decimal_text(column.precision > 18 ? wide_integer(cell.view()) : cell.integer,
                          column.scale);
    case TypeKind::kDate:
      return jsonl::format_date(static_cast<std::int32_t>(cell.integer));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return moment_text(cell.integer, column.kind == TypeKind::kTimestamp);
    default:
      return fmt::format("{}", cell.integer);
  }
}

bool partition_value_of_text(const jsonl::Node& column, const std::string& text,
                             std::optional<std::string>& value) {
  jsonl::Cell cell;
  switch (column.kind) {
    case TypeKind::kString:
    case TypeKind::kBinary:
      cell.text = text.data();
      cell.size = static_cast<std::uint32_t>(text.size());
      break;
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      const auto real = jsonl::parse_double(text);
      if (!real) return false;
      cell.real = *real;
      break;
    }
    case TypeKind::kDecimal: {
      const auto number = jsonl::parse_number(text);
      const auto unscaled =
          number ? jsonl::to_decimal(*number, column.precision, column.scale) : std::nullopt;
      if (!unscaled) return false;
      value = decimal_text(*unscaled, column.scale);
      return true;
    }
    default: {
      const auto whole = whole_of_text(column.kind, text);
      if (!whole) return false;
      cell.integer = *whole;
    }
  }
  value = partition_value(column, cell);
  return true;
}

}  // namespace headrace::parquet_file
