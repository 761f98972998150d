#include "format/parquet/parquet_schema.h"

#include <parquet/types.h>

#include <string>

namespace headrace::parquet_file {
namespace {

using parquet::LogicalType;
using parquet::Repetition;
using parquet::schema::GroupNode;
using parquet::schema::NodePtr;
using parquet::schema::PrimitiveNode;

int id_of(const Field& field) { return field.field_id == 0 ? -1 : field.field_id; }

NodePtr leaf(const Field& field, Repetition::type repetition, parquet::Type::type physical,
             std::shared_ptr<const LogicalType> logical, int length = -1) {
  return PrimitiveNode::Make(field.name, repetition, std::move(logical), physical, length,
                             id_of(field));
}

NodePtr decimal(const Field& field, Repetition::type repetition) {
  const int precision = field.type.precision;
  const auto logical = LogicalType::Decimal(precision, field.type.scale);
  if (precision <= 9) return leaf(field, repetition, parquet::Type::INT32, logical);
  if (precision <= 18) return leaf(field, repetition, parquet::Type::INT64, logical);
  return leaf(field, repetition, parquet::Type::FIXED_LEN_BYTE_ARRAY, logical,
              decimal_bytes(precision));
}

NodePtr moment(const Field& field, Repetition::type repetition) {
  const bool zoned = field.type.kind == TypeKind::kTimestamp;
  return leaf(field, repetition, parquet::Type::INT64,
              LogicalType::Timestamp(zoned, LogicalType::TimeUnit::MICROS));
}

NodePtr node_of(const Field& field, Repetition::type repetition);

NodePtr group(const Field& field, Repetition::type repetition) {
  const auto& parts = field.type.fields;
  parquet::schema::NodeVector members;
  if (field.type.kind == TypeKind::kStruct) {
    for (const Field& part : parts) members.push_back(node_of(part, Repetition::OPTIONAL));
    return GroupNode::Make(field.name, repetition, members, nullptr, id_of(field));
  }
  if (field.type.kind == TypeKind::kList) {
    Field element = parts[0];
    element.name = "element";
    members = {node_of(element, Repetition::OPTIONAL)};
    const auto list = GroupNode::Make("list", Repetition::REPEATED, members);
    return GroupNode::Make(field.name, repetition, {list}, LogicalType::List(), id_of(field));
  }
  Field key = parts[0];
  Field value = parts[1];
  key.name = "key";
  value.name = "value";
  members = {node_of(key, Repetition::REQUIRED), node_of(value, Repetition::OPTIONAL)};
  const auto entries = GroupNode::Make("key_value", Repetition::REPEATED, members);
  return GroupNode::Make(field.name, repetition, {entries}, LogicalType::Map(), id_of(field));
}

NodePtr node_of(const Field& field, Repetition::type repetition) {
  using parquet::Type;
  switch (field.type.kind) {
    case TypeKind::kBoolean:
      return leaf(field, repetition, Type::BOOLEAN, LogicalType::None());
    case TypeKind::kByte:
      return leaf(field, repetition, Type::INT32, LogicalType::Int(8, true));
    case TypeKind::kShort:
      return leaf(field, repetition, Type::INT32, LogicalType::Int(16, true));
    case TypeKind::kInteger:
      return leaf(field, repetition, Type::INT32, LogicalType::None());
    case TypeKind::kLong:
      return leaf(field, repetition, Type::INT64, LogicalType::None());
    case TypeKind::kFloat:
      return leaf(field, repetition, Type::FLOAT, LogicalType::None());
    case TypeKind::kDouble:
      return leaf(field, repetition, Type::DOUBLE, LogicalType::None());
    case TypeKind::kDecimal:
      return decimal(field, repetition);
    case TypeKind::kString:
      return leaf(field, repetition, Type::BYTE_ARRAY, LogicalType::String());
    case TypeKind::kBinary:
      return leaf(field, repetition, Type::BYTE_ARRAY, LogicalType::None());
    case TypeKind::kDate:
      return leaf(field, repetition, Type::INT32, LogicalType::Date());
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampNtz:
      return moment(field, repetition);
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return group(field, repetition);
  }
  return nullptr;
}

}  // namespace

int decimal_bytes(int precision) {
  // The largest number of so many digits needs log2(10) bits each, and one for the sign.
  return static_cast<int>((static_cast<double>(precision) * 3.3219280948873626 + 1) / 8) + 1;
}

std::shared_ptr<GroupNode> parquet_schema(const std::vector<Field>& columns) {
  parquet::schema::NodeVector nodes;
  for (const Field& field : columns) nodes.push_back(node_of(field, Repetition::OPTIONAL));
  const auto root = GroupNode::Make("schema", Repetition::REQUIRED, nodes);
  return std::static_pointer_cast<GroupNode>(root);
}

}  // namespace headrace::parquet_file
