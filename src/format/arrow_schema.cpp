#include "format/arrow_schema.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/error.h"

namespace headrace {
namespace {

constexpr const char* kFieldId = "PARQUET:field_id";
constexpr const char* kMetadata = "headrace.metadata";

std::shared_ptr<arrow::DataType> type_to_arrow(const DataType& type);

std::shared_ptr<arrow::Field> field_to_arrow(const Field& field) {
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  if (field.field_id != 0) metadata->Append(kFieldId, std::to_string(field.field_id));
  if (field.metadata != "{}") metadata->Append(kMetadata, field.metadata);
  if (metadata->size() == 0) metadata = nullptr;
  return arrow::field(field.name, type_to_arrow(field.type), field.nullable, metadata);
}

arrow::FieldVector fields_to_arrow(const std::vector<Field>& fields) {
  arrow::FieldVector out;
  for (const Field& field : fields) out.push_back(field_to_arrow(field));
  return out;
}

std::shared_ptr<arrow::DataType> type_to_arrow(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return arrow::boolean();
    case TypeKind::kByte:
      return arrow::int8();
    case TypeKind::kShort:
      return arrow::int16();
    case TypeKind::kInteger:
      return arrow::int32();
    case TypeKind::kLong:
      return arrow::int64();
    case TypeKind::kFloat:
      return arrow::float32();
    case TypeKind::kDouble:
      return arrow::float64();
    case TypeKind::kDecimal:
      return arrow::decimal128(type.precision, type.scale);
    case TypeKind::kString:
      return arrow::utf8();
    case TypeKind::kBinary:
      return arrow::binary();
    case TypeKind::kDate:
      return arrow::date32();
    case TypeKind::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case TypeKind::kTimestampNtz:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case TypeKind::kStruct:
      return arrow::struct_(fields_to_arrow(type.fields));
    case TypeKind::kList:
      return arrow::list(field_to_arrow(type.fields.at(0)));
    case TypeKind::kMap: {
      const auto parts = fields_to_arrow(type.fields);
      return std::make_shared<arrow::MapType>(parts.at(0)->WithNullable(false), parts.at(1));
    }
  }
  return arrow::null();
}

int id_of(const arrow::Field& field) {
  if (!field.HasMetadata()) return 0;
  const std::string text = field.metadata()->Get(kFieldId).ValueOr("0");
  int id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);
  return std::max(id, 0);  // Arrow says -1 where a file has none.
}

DataType type_from_arrow(const arrow::DataType& type, const std::string& path);

Field field_from_arrow(const arrow::Field& from, const std::string& parent) {
  Field field;
  field.name = from.name();
  field.nullable = from.nullable();
  field.field_id = id_of(from);
  if (from.HasMetadata()) field.metadata = from.metadata()->Get(kMetadata).ValueOr("{}");
  field.type =
      type_from_arrow(*from.type(), parent.empty() ? from.name() : parent + "." + from.name());
  return field;
}

DataType plain(TypeKind kind) { return {.kind = kind}; }

DataType nested_from_arrow(const arrow::DataType& type, const std::string& path) {
  DataType out;
  if (type.id() == arrow::Type::STRUCT) {
    out.kind = TypeKind::kStruct;
    for (const auto& field : type.fields()) out.fields.push_back(field_from_arrow(*field, path));
    return out;
  }
  if (type.id() == arrow::Type::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(type);
    out.kind = TypeKind::kMap;
    out.fields = {field_from_arrow(*map.key_field(), path),
                  field_from_arrow(*map.item_field(), path)};
    out.fields[0].name = "key";
    out.fields[1].name = "value";
    return out;
  }
  out.kind = TypeKind::kList;
  out.fields = {field_from_arrow(*type.field(0), path)};
  out.fields[0].name = "element";
  return out;
}

const char* cast_for(arrow::Type::type id) {
  switch (id) {
    case arrow::Type::UINT8:
      return "smallint";
    case arrow::Type::UINT16:
      return "integer";
    case arrow::Type::UINT32:
      return "bigint";
    case arrow::Type::UINT64:
      return "decimal(20,0)";
    case arrow::Type::HALF_FLOAT:
      return "float";
    default:
      return "a text";
  }
}

DataType type_from_arrow(const arrow::DataType& type, const std::string& path) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return plain(TypeKind::kBoolean);
    case arrow::Type::INT8:
      return plain(TypeKind::kByte);
    case arrow::Type::INT16:
      return plain(TypeKind::kShort);
    case arrow::Type::INT32:
      return plain(TypeKind::kInteger);
    case arrow::Type::INT64:
      return plain(TypeKind::kLong);
    case arrow::Type::FLOAT:
      return plain(TypeKind::kFloat);
    case arrow::Type::DOUBLE:
      return plain(TypeKind::kDouble);
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return {
          .kind = TypeKind::kDecimal, .precision = decimal.precision(), .scale = decimal.scale()};
    }
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return plain(TypeKind::kString);
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return plain(TypeKind::kBinary);
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return plain(TypeKind::kDate);
    case arrow::Type::TIMESTAMP: {
      const auto& moment = static_cast<const arrow::TimestampType&>(type);
      return plain(moment.timezone().empty() ? TypeKind::kTimestampNtz : TypeKind::kTimestamp);
    }
    case arrow::Type::DICTIONARY:
      return type_from_arrow(*static_cast<const arrow::DictionaryType&>(type).value_type(), path);
    case arrow::Type::STRUCT:
    case arrow::Type::MAP:
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
      return nested_from_arrow(type, path);
    default:
      throw Error(ErrorKind::kInvalid,
                  fmt::format("column {} is {}, which a Delta table cannot hold: cast it to {}",
                              path, type.ToString(), cast_for(type.id())));
  }
}

}  // namespace

std::shared_ptr<arrow::Schema> to_arrow(const Schema& schema) {
  return arrow::schema(fields_to_arrow(schema.fields));
}

Schema from_arrow(const arrow::Schema& schema) {
  Schema out;
  for (const auto& field : schema.fields()) out.fields.push_back(field_from_arrow(*field, ""));
  return out;
}

}  // namespace headrace
