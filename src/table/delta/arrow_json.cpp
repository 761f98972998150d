#include "table/delta/arrow_json.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <optional>

#include "core/json.h"

namespace headrace::delta {
namespace {

std::string date_text(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

/// With three digits of seconds, or six if it needs them, so that a bound stays a bound.
std::optional<std::string> timestamp_text(std::int64_t value, const arrow::TimestampType& type) {
  if (type.unit() == arrow::TimeUnit::MILLI) value *= 1'000;
  if (type.unit() != arrow::TimeUnit::MILLI && type.unit() != arrow::TimeUnit::MICRO) {
    return std::nullopt;
  }
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(value)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::hh_mm_ss clock(time - day);
  const std::int64_t micros = clock.subseconds().count();
  const std::string fraction =
      micros % 1'000 == 0 ? fmt::format("{:03}", micros / 1'000) : fmt::format("{:06}", micros);
  return fmt::format("\"{}T{:02}:{:02}:{:02}.{}{}\"", date_text(day), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), fraction,
                     type.timezone().empty() ? "" : "Z");
}

std::optional<std::string> quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

template <class ArrayType>
std::optional<std::string> number(const arrow::Array& array, std::int64_t row) {
  const auto value = static_cast<const ArrayType&>(array).Value(row);
  if constexpr (std::is_floating_point_v<decltype(value)>) {
    if (!std::isfinite(value)) return std::nullopt;
  }
  return fmt::format("{}", value);
}

std::optional<std::string> json_of(const arrow::Array& array, std::int64_t row);

std::string struct_json(const arrow::StructArray& array, std::int64_t row) {
  std::string out = "{";
  for (int i = 0; i < array.num_fields(); ++i) {
    const auto value = json_of(*array.field(i), row);
    if (!value) continue;
    if (out.size() > 1) out += ',';
    append_json_string(out, array.type()->field(i)->name());
    out += ':';
    out += *value;
  }
  return out + "}";
}

std::optional<std::string> json_of(const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) return std::nullopt;
  switch (array.type_id()) {
    case arrow::Type::STRUCT:
      return struct_json(static_cast<const arrow::StructArray&>(array), row);
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
    case arrow::Type::INT8:
      return number<arrow::Int8Array>(array, row);
    case arrow::Type::INT16:
      return number<arrow::Int16Array>(array, row);
    case arrow::Type::INT32:
      return number<arrow::Int32Array>(array, row);
    case arrow::Type::INT64:
      return number<arrow::Int64Array>(array, row);
    case arrow::Type::FLOAT:
      return number<arrow::FloatArray>(array, row);
    case arrow::Type::DOUBLE:
      return number<arrow::DoubleArray>(array, row);
    case arrow::Type::STRING:
      return quoted(static_cast<const arrow::StringArray&>(array).GetView(row));
    case arrow::Type::DATE32:
      return quoted(date_text(std::chrono::sys_days(
          std::chrono::days(static_cast<const arrow::Date32Array&>(array).Value(row)))));
    case arrow::Type::TIMESTAMP:
      return timestamp_text(static_cast<const arrow::TimestampArray&>(array).Value(row),
                            static_cast<const arrow::TimestampType&>(*array.type()));
    case arrow::Type::DECIMAL128:
      return static_cast<const arrow::Decimal128Array&>(array).FormatValue(row);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string arrow_json(const arrow::Array& array, std::int64_t row) {
  return json_of(array, row).value_or("");
}

}  // namespace headrace::delta
