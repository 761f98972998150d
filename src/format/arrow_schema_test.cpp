#include "format/arrow_schema.h"

#include <arrow/type.h>
#include <gmock/gmock.h>

#include "core/error.h"
#include "format/read_back.h"

namespace headrace {
namespace {

TEST(ArrowSchema, GoesThereAndBackWithIdsAndMetadata) {
  Schema schema;
  int id = 0;
  for (int kind = 0; kind <= static_cast<int>(TypeKind::kTimestampNtz); ++kind) {
    Field field = field_of("c" + std::to_string(kind), static_cast<TypeKind>(kind));
    if (field.type.kind == TypeKind::kDecimal) {
      field.type.precision = 20;
      field.type.scale = 3;
    }
    field.field_id = ++id;
    field.nullable = kind % 2 == 0;
    schema.fields.push_back(field);
  }
  Field text = field_of("j", TypeKind::kString);
  text.metadata = R"({"headrace.type":"json"})";
  Field key = field_of("key", TypeKind::kString);
  key.nullable = false;
  schema.fields.push_back(text);
  schema.fields.push_back({.name = "s", .type = {.kind = TypeKind::kStruct, .fields = {text}}});
  schema.fields.push_back(
      {.name = "l",
       .type = {.kind = TypeKind::kList, .fields = {field_of("element", TypeKind::kLong)}}});
  schema.fields.push_back(
      {.name = "m",
       .type = {.kind = TypeKind::kMap, .fields = {key, field_of("value", TypeKind::kDate)}}});
  EXPECT_EQ(from_arrow(*to_arrow(schema)), schema);
}

TEST(ArrowSchema, TakesOtherFormsOfTheSameTypes) {
  const auto schema =
      arrow::schema({arrow::field("a", arrow::large_utf8()),
                     arrow::field("b", arrow::dictionary(arrow::int8(), arrow::utf8())),
                     arrow::field("c", arrow::timestamp(arrow::TimeUnit::NANO, "Europe/Berlin")),
                     arrow::field("d", arrow::fixed_size_list(arrow::int32(), 2))});
  EXPECT_EQ(to_string(from_arrow(*schema)), "a:string,b:string,c:timestamp,d:array<integer>");
}

TEST(ArrowSchema, NamesTheColumnThatDeltaCannotHold) {
  const auto schema =
      arrow::schema({arrow::field("s", arrow::struct_({arrow::field("n", arrow::uint32())}))});
  try {
    from_arrow(*schema);
    FAIL() << "unsigned numbers must be refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_STREQ(error.what(),
                 "column s.n is uint32, which a Delta table cannot hold: cast it to bigint");
  }
}

}  // namespace
}  // namespace headrace
