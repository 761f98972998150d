#include "format/read_back.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>

#include <stdexcept>

#include "core/clock.h"
#include "core/json.h"
#include "format/jsonl/moment.h"

namespace headrace {
namespace {

template <class T>
T expect_ok(arrow::Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return std::move(result).ValueOrDie();
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

template <class ArrayType>
auto at(const arrow::Array& array, std::int64_t i) {
  return static_cast<const ArrayType&>(array).Value(i);
}

void append(JsonWriter& json, const arrow::Array& array, std::int64_t i);

void append_list(JsonWriter& json, const arrow::Array& array, std::int64_t i) {
  const auto& list = static_cast<const arrow::ListArray&>(array);
  json.begin_array();
  for (std::int64_t k = list.value_offset(i); k < list.value_offset(i + 1); ++k) {
    append(json, *list.values(), k);
  }
  json.end_array();
}

void append_map(JsonWriter& json, const arrow::Array& array, std::int64_t i) {
  const auto& map = static_cast<const arrow::MapArray&>(array);
  json.begin_object();
  for (std::int64_t k = map.value_offset(i); k < map.value_offset(i + 1); ++k) {
    json.key(static_cast<const arrow::StringArray&>(*map.keys()).GetView(k));
    append(json, *map.items(), k);
  }
  json.end_object();
}

void append_struct(JsonWriter& json, const arrow::Array& array, std::int64_t i) {
  const auto& members = static_cast<const arrow::StructArray&>(array);
  json.begin_object();
  for (int k = 0; k < members.num_fields(); ++k) {
    json.key(array.type()->field(k)->name());
    append(json, *members.field(k), i);
  }
  json.end_object();
}

void append_moment(JsonWriter& json, const arrow::Array& array, std::int64_t i) {
  const auto& type = static_cast<const arrow::TimestampType&>(*array.type());
  const std::string text = format_time(Time(Duration(at<arrow::TimestampArray>(array, i))));
  json.string(type.timezone().empty() ? text.substr(0, text.size() - 1) : text);
}

void append(JsonWriter& json, const arrow::Array& array, std::int64_t i) {
  if (array.IsNull(i)) {
    json.null();
    return;
  }
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      json.boolean(at<arrow::BooleanArray>(array, i));
      return;
    case arrow::Type::INT8:
      json.number(static_cast<int>(at<arrow::Int8Array>(array, i)));
      return;
    case arrow::Type::INT16:
      json.number(static_cast<int>(at<arrow::Int16Array>(array, i)));
      return;
    case arrow::Type::INT32:
      json.number(at<arrow::Int32Array>(array, i));
      return;
    case arrow::Type::INT64:
      json.number(at<arrow::Int64Array>(array, i));
      return;
    case arrow::Type::FLOAT:
      json.raw(fmt::format("{}", at<arrow::FloatArray>(array, i)));
      return;
    case arrow::Type::DOUBLE:
      json.raw(fmt::format("{}", at<arrow::DoubleArray>(array, i)));
      return;
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
      json.raw(expect_ok(array.GetScalar(i))->ToString());
      return;
    case arrow::Type::STRING:
      json.string(static_cast<const arrow::StringArray&>(array).GetView(i));
      return;
    case arrow::Type::BINARY:
      json.string(hex(static_cast<const arrow::BinaryArray&>(array).GetView(i)));
      return;
    case arrow::Type::FIXED_SIZE_BINARY: {  // A UUID.
      std::string text = hex(static_cast<const arrow::FixedSizeBinaryArray&>(array).GetView(i));
      for (const std::size_t hyphen : {20, 16, 12, 8}) text.insert(hyphen, 1, '-');
      json.string(text);
      return;
    }
    case arrow::Type::DATE32:
      json.string(jsonl::format_date(at<arrow::Date32Array>(array, i)));
      return;
    case arrow::Type::TIMESTAMP:
      return append_moment(json, array, i);
    case arrow::Type::LIST:
      return append_list(json, array, i);
    case arrow::Type::MAP:
      return append_map(json, array, i);
    case arrow::Type::STRUCT:
      return append_struct(json, array, i);
    default:
      throw std::runtime_error("unexpected type " + array.type()->ToString());
  }
}

}  // namespace

std::vector<std::string> read_back(const Bytes& parquet) {
  const auto source = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(parquet));
  auto reader = expect_ok(parquet::arrow::OpenFile(source, arrow::default_memory_pool()));
  const auto table = expect_ok(reader->ReadTable());
  if (!table->ValidateFull().ok()) throw std::runtime_error(table->ValidateFull().ToString());
  const auto whole = expect_ok(table->CombineChunksToBatch());
  std::vector<std::string> rows;
  for (std::int64_t i = 0; i < whole->num_rows(); ++i) {
    JsonWriter json;
    json.begin_object();
    for (int k = 0; k < whole->num_columns(); ++k) {
      json.key(whole->column_name(k));
      append(json, *whole->column(k), i);
    }
    json.end_object();
    rows.push_back(std::move(json).text());
  }
  return rows;
}

Converted finish(LinesToParquet& convert) {
  Converted out;
  out.files = convert.finish();
  out.schema = to_string(convert.schema());
  out.rescued = convert.rescued_rows();
  for (const ParquetFile& file : out.files) {
    const auto rows = read_back(file.bytes);
    if (rows.size() != file.rows) throw std::runtime_error("rows of the file are miscounted");
    out.rows.insert(out.rows.end(), rows.begin(), rows.end());
  }
  return out;
}

Converted convert(std::string_view lines, ConvertOptions options) {
  LinesToParquet convert(std::move(options));
  convert.begin_object();
  convert.write(lines);
  ObjectRows object = convert.end_object();
  Converted out = finish(convert);
  out.object = std::move(object);
  return out;
}

std::string to_string(const Schema& schema) {
  const std::string text = to_string(DataType{.kind = TypeKind::kStruct, .fields = schema.fields});
  return text.substr(7, text.size() - 8);  // Without "struct<" and ">".
}

Schema schema_of(std::initializer_list<Field> fields) {
  Schema schema;
  schema.fields = fields;
  return schema;
}

Field field_of(std::string name, TypeKind kind) {
  Field field;
  field.name = std::move(name);
  field.type.kind = kind;
  return field;
}

}  // namespace headrace
