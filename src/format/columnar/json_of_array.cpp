#include "format/columnar/json_of_array.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "core/base64.h"
#include "core/error.h"
#include "core/json.h"
#include "format/jsonl/moment.h"

namespace headrace {
namespace {

using arrow::Type;

void append(std::string& out, const arrow::Array& array, std::int64_t i);

template <class Array>
auto at(const arrow::Array& array, std::int64_t i) {
  return static_cast<const Array&>(array).Value(i);
}
template <class Array>
std::string_view view(const arrow::Array& array, std::int64_t i) {
  return static_cast<const Array&>(array).GetView(i);
}

template <class Number>
void append_number(std::string& out, Number value) {
  fmt::format_to(std::back_inserter(out), "{}", value);
}

/// With a point or an exponent, so that whole ones are not taken for whole numbers.
template <class Float>
void append_real(std::string& out, Float value) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
    return;
  }
  const std::size_t before = out.size();
  append_number(out, value);
  if (out.find_first_of(".e", before) == std::string::npos) out += ".0";
}

std::int64_t units_of(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      break;
  }
  return 1'000'000'000;
}

/// "09:08:07.25": the fraction without zeros at its end.
void append_clock(std::string& out, std::int64_t since_midnight, std::int64_t units) {
  const std::int64_t seconds = since_midnight / units;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  std::int64_t fraction = since_midnight % units;
  if (fraction == 0) return;
  out += '.';
  for (std::int64_t digit = units / 10; fraction > 0; fraction %= digit, digit /= 10) {
    out += static_cast<char>('0' + fraction / digit);
    if (digit == 1) break;
  }
}

void append_moment(std::string& out, std::int64_t value, arrow::TimeUnit::type unit) {
  const std::int64_t units = units_of(unit);
  const std::int64_t day = 86'400 * units;
  std::int64_t days = value / day;
  std::int64_t rest = value % day;
  if (rest < 0) {
    rest += day;
    --days;
  }
  out += '"' + jsonl::format_date(days) + 'T';
  append_clock(out, rest, units);
  out += "Z\"";
}

void append_time(std::string& out, std::int64_t value, const arrow::DataType& type) {
  out += '"';
  append_clock(out, value, units_of(static_cast<const arrow::TimeType&>(type).unit()));
  out += '"';
}

template <class Array>
void append_list(std::string& out, const arrow::Array& array, std::int64_t i) {
  const auto& list = static_cast<const Array&>(array);
  const std::int64_t begin = list.value_offset(i);
  const std::int64_t end = begin + list.value_length(i);
  out += '[';
  for (std::int64_t k = begin; k < end; ++k) {
    if (k > begin) out += ',';
    append(out, *list.values(), k);
  }
  out += ']';
}

void append_map(std::string& out, const arrow::Array& array, std::int64_t i) {
  const auto& map = static_cast<const arrow::MapArray&>(array);
  const std::int64_t begin = map.value_offset(i);
  const std::int64_t end = begin + map.value_length(i);
  const bool texts = map.keys()->type_id() == Type::STRING;
  out += texts ? '{' : '[';
  for (std::int64_t k = begin; k < end; ++k) {
    if (k > begin) out += ',';
    if (!texts) out += "{\"key\":";
    append(out, *map.keys(), k);
    out += texts ? ":" : ",\"value\":";
    append(out, *map.items(), k);
    if (!texts) out += '}';
  }
  out += texts ? '}' : ']';
}

void append_members(std::string& out, const std::vector<std::string>& keys,
                    const std::vector<std::shared_ptr<arrow::Array>>& members, std::int64_t i) {
  out += '{';
  for (std::size_t k = 0; k < members.size(); ++k) {
    if (k > 0) out += ',';
    out += keys[k];
    append(out, *members[k], i);
  }
  out += '}';
}

std::vector<std::string> keys_of(const std::vector<std::shared_ptr<arrow::Field>>& fields) {
  std::vector<std::string> keys;
  for (const auto& field : fields) {
    append_json_string(keys.emplace_back(), field->name());
    keys.back() += ':';
  }
  return keys;
}

void append_struct(std::string& out, const arrow::Array& array, std::int64_t i) {
  const auto& members = static_cast<const arrow::StructArray&>(array);
  out += '{';
  for (int k = 0; k < array.num_fields(); ++k) {
    if (k > 0) out += ',';
    append_json_string(out, array.type()->field(k)->name());
    out += ':';
    append(out, *members.field(k), i);
  }
  out += '}';
}

void append_base64(std::string& out, std::string_view bytes) {
  out += '"' + to_base64(bytes) + '"';
}

bool append_whole(std::string& out, const arrow::Array& array, std::int64_t i) {
  switch (array.type_id()) {
    case Type::INT8:
      return append_number(out, static_cast<int>(at<arrow::Int8Array>(array, i))), true;
    case Type::INT16:
      return append_number(out, static_cast<int>(at<arrow::Int16Array>(array, i))), true;
    case Type::INT32:
      return append_number(out, at<arrow::Int32Array>(array, i)), true;
    case Type::INT64:
      return append_number(out, at<arrow::Int64Array>(array, i)), true;
    case Type::UINT8:
      return append_number(out, static_cast<unsigned>(at<arrow::UInt8Array>(array, i))), true;
    case Type::UINT16:
      return append_number(out, static_cast<unsigned>(at<arrow::UInt16Array>(array, i))), true;
    case Type::UINT32:
      return append_number(out, at<arrow::UInt32Array>(array, i)), true;
    case Type::UINT64:
      return append_number(out, at<arrow::UInt64Array>(array, i)), true;
    default:
      return false;
  }
}

void append(std::string& out, const arrow::Array& array, std::int64_t i) {
  if (array.IsNull(i)) {
    out += "null";
    return;
  }
  if (append_whole(out, array, i)) return;
  switch (array.type_id()) {
    case Type::BOOL:
      out += at<arrow::BooleanArray>(array, i) ? "true" : "false";
      return;
    case Type::FLOAT:
      return append_real(out, at<arrow::FloatArray>(array, i));
    case Type::DOUBLE:
      return append_real(out, at<arrow::DoubleArray>(array, i));
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      out += array.GetScalar(i).ValueOrDie()->ToString();
      return;
    case Type::STRING:
      return append_json_string(out, view<arrow::StringArray>(array, i));
    case Type::LARGE_STRING:
      return append_json_string(out, view<arrow::LargeStringArray>(array, i));
    case Type::BINARY:
      return append_base64(out, view<arrow::BinaryArray>(array, i));
    case Type::LARGE_BINARY:
      return append_base64(out, view<arrow::LargeBinaryArray>(array, i));
    case Type::FIXED_SIZE_BINARY:
      return append_base64(out, view<arrow::FixedSizeBinaryArray>(array, i));
    case Type::DATE32:
      out += '"' + jsonl::format_date(at<arrow::Date32Array>(array, i)) + '"';
      return;
    case Type::TIMESTAMP:
      return append_moment(out, at<arrow::TimestampArray>(array, i),
                           static_cast<const arrow::TimestampType&>(*array.type()).unit());
    case Type::TIME32:
      return append_time(out, at<arrow::Time32Array>(array, i), *array.type());
    case Type::TIME64:
      return append_time(out, at<arrow::Time64Array>(array, i), *array.type());
    case Type::LIST:
      return append_list<arrow::ListArray>(out, array, i);
    case Type::LARGE_LIST:
      return append_list<arrow::LargeListArray>(out, array, i);
    case Type::MAP:
      return append_map(out, array, i);
    case Type::STRUCT:
      return append_struct(out, array, i);
    case Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(array);
      return append(out, *dictionary.dictionary(), dictionary.GetValueIndex(i));
    }
    default:
      out += "null";  // The null type; check_json_form() has refused all others.
  }
}

bool has_json_form(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::NA:
    case Type::BOOL:
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64:
    case Type::UINT8:
    case Type::UINT16:
    case Type::UINT32:
    case Type::UINT64:
    case Type::FLOAT:
    case Type::DOUBLE:
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::FIXED_SIZE_BINARY:
    case Type::DATE32:
    case Type::TIMESTAMP:
    case Type::TIME32:
    case Type::TIME64:
      return true;
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::MAP:
    case Type::STRUCT:
      for (const auto& field : type.fields()) {
        if (!has_json_form(*field->type())) return false;
      }
      return true;
    case Type::DICTIONARY:
      return has_json_form(*static_cast<const arrow::DictionaryType&>(type).value_type());
    default:
      return false;
  }
}

}  // namespace

void check_json_form(const arrow::Schema& schema) {
  for (const auto& field : schema.fields()) {
    if (has_json_form(*field->type())) continue;
    throw Error(ErrorKind::kInvalid,
                fmt::format("column {} is {}, which cannot be read here: cast it to a plain type",
                            field->name(), field->type()->ToString()));
  }
}

void append_json_lines(std::string& out, const arrow::RecordBatch& batch) {
  const auto keys = keys_of(batch.schema()->fields());
  const auto& columns = batch.columns();
  for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
    append_members(out, keys, columns, i);
    out += '\n';
  }
}

}  // namespace headrace
