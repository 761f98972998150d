#include "table/delta/schema_json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <charconv>

#include "core/error.h"
#include "core/json.h"

namespace headrace::delta {
namespace {

namespace ondemand = simdjson::ondemand;

struct Primitive {
  std::string_view name;
  TypeKind kind;
};
constexpr std::array kPrimitives = {
    Primitive{"boolean", TypeKind::kBoolean},
    Primitive{"byte", TypeKind::kByte},
    Primitive{"short", TypeKind::kShort},
    Primitive{"integer", TypeKind::kInteger},
    Primitive{"long", TypeKind::kLong},
    Primitive{"float", TypeKind::kFloat},
    Primitive{"double", TypeKind::kDouble},
    Primitive{"string", TypeKind::kString},
    Primitive{"binary", TypeKind::kBinary},
    Primitive{"date", TypeKind::kDate},
    Primitive{"timestamp", TypeKind::kTimestamp},
    Primitive{"timestamp_ntz", TypeKind::kTimestampNtz},
};
constexpr int kDepth = 200;

DataType with_fields(TypeKind kind, std::vector<Field> fields) {
  DataType type;
  type.kind = kind;
  type.fields = std::move(fields);
  return type;
}

Field inner_field(std::string name, DataType type, bool nullable) {
  Field field;
  field.name = std::move(name);
  field.type = std::move(type);
  field.nullable = nullable;
  return field;
}

/// Walks the schema's JSON. Keys of an object may come in any order, so each is taken as it comes.
class SchemaReader {
 public:
  explicit SchemaReader(std::string_view json) : padded_(json) {}

  Schema read() {
    // The walk looks only at what it takes; what it keeps as text must be JSON too.
    simdjson::dom::parser whole;
    if (const auto error = whole.parse(padded_).error()) fail(simdjson::error_message(error));
    try {
      ondemand::document document = parser_.iterate(padded_);
      DataType type = read_type_object(document.get_object());
      if (type.kind != TypeKind::kStruct) fail("is not a struct");
      return Schema{std::move(type.fields)};
    } catch (const simdjson::simdjson_error& error) {
      fail(error.what());
    }
  }

 private:
  /// What a type object may say; which members it needs depends on `type`.
  struct TypeParts {
    std::string type;
    std::vector<Field> fields;
    std::optional<DataType> element;
    std::optional<DataType> key;
    std::optional<DataType> value;
    bool contains_null = true;
  };

  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorKind::kCorrupt, fmt::format("the table's schema {}", what));
  }

  DataType read_type(ondemand::value value) {
    if (value.type() == ondemand::json_type::object) return read_type_object(value.get_object());
    const std::string_view name = value.get_string();
    auto type = parse_primitive(name);
    if (!type) {
      throw Error(
          ErrorKind::kInvalid,
          fmt::format("column {} has the type '{}', which is not supported", column_, name));
    }
    return std::move(*type);
  }

  DataType read_type_object(ondemand::object object) {
    if (++depth_ > kDepth) fail(fmt::format("is nested deeper than {}", kDepth));
    TypeParts parts;
    for (auto member : object) {
      const std::string key(std::string_view(member.unescaped_key()));
      read_member(key, member.value(), parts);
    }
    --depth_;
    return assemble(std::move(parts));
  }

  void read_member(std::string_view key, ondemand::value value, TypeParts& parts) {
    if (key == "type") {
      parts.type = std::string_view(value.get_string());
    } else if (key == "fields") {
      for (auto field : value.get_array()) parts.fields.push_back(read_field(field.get_object()));
    } else if (key == "elementType") {
      parts.element = read_type(value);
    } else if (key == "keyType") {
      parts.key = read_type(value);
    } else if (key == "valueType") {
      parts.value = read_type(value);
    } else if (key == "containsNull" || key == "valueContainsNull") {
      parts.contains_null = value.get_bool();
    }
  }

  DataType assemble(TypeParts parts) {
    if (parts.type == "struct") return with_fields(TypeKind::kStruct, std::move(parts.fields));
    if (parts.type == "array" && parts.element) {
      return with_fields(TypeKind::kList,
                         {inner_field("element", std::move(*parts.element), parts.contains_null)});
    }
    if (parts.type == "map" && parts.key && parts.value) {
      return with_fields(TypeKind::kMap,
                         {inner_field("key", std::move(*parts.key), false),
                          inner_field("value", std::move(*parts.value), parts.contains_null)});
    }
    fail(fmt::format("has a type '{}' that lacks a part or is not known", parts.type));
  }

  Field read_field(ondemand::object object) {
    Field out;
    bool typed = false;
    const std::string outer = column_;
    // The name is wanted for messages before the type is read, whatever comes first.
    out.name = std::string_view(object.find_field_unordered("name").get_string());
    column_ = outer.empty() ? out.name : outer + "." + out.name;
    object.reset();
    for (auto member : object) {
      const std::string key(std::string_view(member.unescaped_key()));
      if (key == "type") {
        out.type = read_type(member.value());
        typed = true;
      } else if (key == "nullable") {
        out.nullable = member.value().get_bool();
      } else if (key == "metadata") {
        out.metadata = read_metadata(member.value());
      }
    }
    if (!typed) fail(fmt::format("has a column {} without a type", column_));
    column_ = outer;
    return out;
  }

  static std::string read_metadata(ondemand::value value) {
    if (value.type() == ondemand::json_type::null) return "{}";
    ondemand::object object = value.get_object();
    std::string_view raw = object.raw_json();
    while (!raw.empty() && raw.back() != '}') raw.remove_suffix(1);
    return std::string(raw);
  }

  ondemand::parser parser_;
  simdjson::padded_string padded_;
  std::string column_;
  int depth_ = 0;
};

void write_type(JsonWriter& json, const DataType& type);

void write_fields(JsonWriter& json, const std::vector<Field>& fields) {
  json.begin_object().key("type").string("struct").key("fields").begin_array();
  for (const Field& field : fields) {
    json.begin_object().key("name").string(field.name).key("type");
    write_type(json, field.type);
    json.key("nullable").boolean(field.nullable);
    json.key("metadata").raw(field.metadata.empty() ? "{}" : field.metadata).end_object();
  }
  json.end_array().end_object();
}

void write_type(JsonWriter& json, const DataType& type) {
  switch (type.kind) {
    case TypeKind::kStruct:
      write_fields(json, type.fields);
      return;
    case TypeKind::kList:
      json.begin_object().key("type").string("array").key("elementType");
      write_type(json, type.fields.at(0).type);
      json.key("containsNull").boolean(type.fields.at(0).nullable).end_object();
      return;
    case TypeKind::kMap:
      json.begin_object().key("type").string("map").key("keyType");
      write_type(json, type.fields.at(0).type);
      json.key("valueType");
      write_type(json, type.fields.at(1).type);
      json.key("valueContainsNull").boolean(type.fields.at(1).nullable).end_object();
      return;
    case TypeKind::kDecimal:
      json.string(fmt::format("decimal({},{})", type.precision, type.scale));
      return;
    default:
      break;
  }
  for (const Primitive& primitive : kPrimitives) {
    if (primitive.kind == type.kind) json.string(primitive.name);
  }
}

/// "10,2" within "decimal(10,2)", spaces allowed.
std::optional<DataType> parse_decimal(std::string_view inside) {
  std::string digits(inside);
  std::erase(digits, ' ');
  DataType type;
  type.kind = TypeKind::kDecimal;
  const char* end = digits.data() + digits.size();
  const auto precision = std::from_chars(digits.data(), end, type.precision);
  if (precision.ec != std::errc() || precision.ptr == end || *precision.ptr != ',') {
    return std::nullopt;
  }
  const auto scale = std::from_chars(precision.ptr + 1, end, type.scale);
  const bool whole = scale.ec == std::errc() && scale.ptr == end;
  if (!whole || type.precision < 1 || type.precision > 38 || type.scale < 0 ||
      type.scale > type.precision) {
    return std::nullopt;
  }
  return type;
}

}  // namespace

std::optional<DataType> parse_primitive(std::string_view name) {
  for (const Primitive& primitive : kPrimitives) {
    if (primitive.name == name) return with_fields(primitive.kind, {});
  }
  if (name == "decimal") return parse_decimal("10,0");
  if (name.starts_with("decimal(") && name.ends_with(')')) {
    return parse_decimal(name.substr(8, name.size() - 9));
  }
  return std::nullopt;
}

Schema parse_schema(std::string_view json) { return SchemaReader(json).read(); }

std::string schema_json(const Schema& schema) {
  JsonWriter json;
  write_fields(json, schema.fields);
  return std::move(json).text();
}

}  // namespace headrace::delta
