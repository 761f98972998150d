#include "table/delta/schema_json.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace::delta {
namespace {

std::string column(const std::string& type) {
  return R"({"type":"struct","fields":[{"name":"c","type":)" + type +
         R"(,"nullable":true,"metadata":{}}]})";
}

class SchemaTypeTest : public testing::TestWithParam<const char*> {};

TEST_P(SchemaTypeTest, IsReadAndWrittenAlike) {
  const std::string json = column(GetParam());
  EXPECT_EQ(schema_json(parse_schema(json)), json);
}

INSTANTIATE_TEST_SUITE_P(
    Types, SchemaTypeTest,
    testing::Values(
        R"("boolean")", R"("byte")", R"("short")", R"("integer")", R"("long")", R"("float")",
        R"("double")", R"("string")", R"("binary")", R"("date")", R"("timestamp")",
        R"("timestamp_ntz")", R"x("decimal(38,18)")x",
        R"({"type":"array","elementType":"long","containsNull":false})",
        R"({"type":"map","keyType":"string","valueType":"double","valueContainsNull":true})",
        R"({"type":"struct","fields":[{"name":"x","type":"long","nullable":false,"metadata":{}}]})",
        R"({"type":"array","elementType":{"type":"map","keyType":"string","valueType":)"
        R"({"type":"array","elementType":"date","containsNull":true},)"
        R"("valueContainsNull":true},"containsNull":true})"));

TEST(ParseSchema, TakesKeysInAnyOrder) {
  const Schema schema = parse_schema(
      R"({"fields":[{"metadata":{},"nullable":true,)"
      R"("type":{"containsNull":true,"elementType":"long","type":"array"},"name":"a"}],)"
      R"("type":"struct"})");
  ASSERT_EQ(schema.fields.size(), 1u);
  EXPECT_EQ(to_string(schema.fields[0].type), "array<long>");
}

TEST(ParseSchema, KeepsMetadataOfFieldsByteForByte) {
  const std::string metadata = R"({ "comment": "a}\"b", "n": 1.0, "deep": {"x":[1, 2]} })";
  const std::string json = R"({"type":"struct","fields":[{"name":"c","type":"long",)"
                           R"("nullable":true,"metadata":)" +
                           metadata + " }]}";
  const Schema schema = parse_schema(json);
  EXPECT_EQ(schema.fields[0].metadata, metadata);
  EXPECT_NE(schema_json(schema).find(metadata), std::string::npos);
}

TEST(ParseSchema, ReadsADecimalWithSpacesAndWithoutDigits) {
  EXPECT_EQ(to_string(*parse_primitive("decimal(10, 2)")), "decimal(10,2)");
  EXPECT_EQ(to_string(*parse_primitive("decimal")), "decimal(10,0)");
}

struct BadSchemaCase {
  const char* name;
  std::string json;
  ErrorKind kind;
  const char* says;
};
class BadSchemaTest : public testing::TestWithParam<BadSchemaCase> {};

TEST_P(BadSchemaTest, IsRefused) {
  try {
    parse_schema(GetParam().json);
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), GetParam().kind);
    EXPECT_NE(std::string(error.what()).find(GetParam().says), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Schemas, BadSchemaTest,
    testing::Values(
        BadSchemaCase{"NoJson", "{", ErrorKind::kCorrupt, "schema"},
        BadSchemaCase{"MetadataIsNoJson",
                      R"({"type":"struct","fields":[{"name":"c","type":"long","metadata":{u}}]})",
                      ErrorKind::kCorrupt, "schema"},
        BadSchemaCase{"NoStruct", R"({"type":"array","elementType":"long","containsNull":true})",
                      ErrorKind::kCorrupt, "struct"},
        BadSchemaCase{"NoType", R"({"type":"struct","fields":[{"name":"lonely"}]})",
                      ErrorKind::kCorrupt, "lonely"},
        BadSchemaCase{"Void", column(R"("void")"), ErrorKind::kInvalid,
                      "column c has the type 'void'"},
        BadSchemaCase{"Variant", column(R"("variant")"), ErrorKind::kInvalid, "variant"},
        BadSchemaCase{"DecimalTooWide", column(R"x("decimal(39,0)")x"), ErrorKind::kInvalid,
                      "decimal(39,0)"},
        BadSchemaCase{"ScaleAbovePrecision", column(R"x("decimal(2,3)")x"), ErrorKind::kInvalid,
                      "decimal(2,3)"},
        BadSchemaCase{"UnknownNested", column(R"({"type":"set"})"), ErrorKind::kCorrupt, "set"},
        BadSchemaCase{"InsideNested",
                      column(R"({"type":"array","elementType":"void","containsNull":true})"),
                      ErrorKind::kInvalid, "column c"}),
    [](const auto& row) { return row.param.name; });

TEST(ParseSchema, StopsAtAnAbsurdDepth) {
  std::string type = R"("long")";
  for (int i = 0; i < 300; ++i) {
    type = R"({"type":"array","elementType":)" + type + R"(,"containsNull":true})";
  }
  EXPECT_THROW(parse_schema(column(type)), Error);
}

}  // namespace
}  // namespace headrace::delta
