#include "table/delta/schema_merge.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "table/delta/schema_json.h"

namespace headrace::delta {
namespace {

/// Columns as "a long, b struct<x:long>" is told by to_string.
std::string told(const Schema& schema) {
  std::string out;
  for (const Field& field : schema.fields) {
    out += (out.empty() ? "" : ", ") + field.name + " " + to_string(field.type);
  }
  return out;
}

Field leaf(std::string name, const char* type) {
  Field field;
  field.name = std::move(name);
  field.type = *parse_primitive(type);
  return field;
}

Field nested(std::string name, TypeKind kind, std::vector<Field> fields) {
  Field field;
  field.name = std::move(name);
  field.type.kind = kind;
  field.type.fields = std::move(fields);
  return field;
}

TEST(MergeSchema, IsTheSameIfNothingIsNew) {
  const Schema table{{leaf("a", "long"), leaf("b", "string")}};
  EXPECT_EQ(merge_schema(table, {{leaf("b", "string")}}), table);
}

TEST(MergeSchema, PutsNewColumnsLastAndMakesThemNullable) {
  const Schema table{{leaf("a", "long")}};
  Field required = leaf("b", "string");
  required.nullable = false;
  const Schema merged = merge_schema(table, {{required, leaf("a", "long")}});
  EXPECT_EQ(told(merged), "a long, b string");
  EXPECT_TRUE(merged.fields[1].nullable);
}

TEST(MergeSchema, AddsMembersInsideOfStructsListsAndMaps) {
  const Schema table{
      {nested("s", TypeKind::kStruct, {leaf("x", "long")}),
       nested("l", TypeKind::kList, {nested("element", TypeKind::kStruct, {leaf("x", "long")})})}};
  const Schema incoming{
      {nested("s", TypeKind::kStruct, {leaf("x", "long"), leaf("y", "string")}),
       nested("l", TypeKind::kList, {nested("element", TypeKind::kStruct, {leaf("z", "date")})})}};
  EXPECT_EQ(told(merge_schema(table, incoming)),
            "s struct<x:long,y:string>, l array<struct<x:long,z:date>>");
}

TEST(MergeSchema, WidensTheIntegersThatParquetHoldsAlike) {
  const Schema table{{leaf("a", "byte"), leaf("b", "integer")}};
  const Schema merged = merge_schema(table, {{leaf("a", "short"), leaf("b", "byte")}});
  EXPECT_EQ(told(merged), "a short, b integer");
}

TEST(MergeSchema, KeepsNullabilityAndMetadataOfWhatIsThere) {
  Field kept = leaf("a", "long");
  kept.nullable = false;
  kept.metadata = R"({"comment":"x"})";
  EXPECT_EQ(merge_schema({{kept}}, {{leaf("a", "long")}}).fields[0], kept);
}

struct RefusedCase {
  const char* name;
  Schema table;
  Schema incoming;
  std::vector<const char*> says;
};
class RefusedMergeTest : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedMergeTest, NamesTheColumnAndWhatIsWrong) {
  try {
    merge_schema(GetParam().table, GetParam().incoming);
    FAIL() << "merged";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    for (const char* says : GetParam().says) {
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Schemas, RefusedMergeTest,
    testing::Values(
        RefusedCase{"IntegerToLong",
                    {{leaf("a", "integer")}},
                    {{leaf("a", "long")}},
                    {"column a is integer in the table and long"}},
        RefusedCase{"LongToInteger",
                    {{leaf("a", "long")}},
                    {{leaf("a", "integer")}},
                    {"long in the table and integer"}},
        RefusedCase{"OtherType",
                    {{leaf("a", "string")}},
                    {{leaf("a", "double")}},
                    {"string in the table and double"}},
        RefusedCase{"DecimalDigits",
                    {{leaf("a", "decimal(10,2)")}},
                    {{leaf("a", "decimal(12,2)")}},
                    {"decimal(10,2)", "decimal(12,2)"}},
        RefusedCase{
            "Zone", {{leaf("a", "timestamp")}}, {{leaf("a", "timestamp_ntz")}}, {"timestamp_ntz"}},
        RefusedCase{"NestedType",
                    {{nested("s", TypeKind::kStruct, {leaf("x", "long")})}},
                    {{nested("s", TypeKind::kStruct, {leaf("x", "string")})}},
                    {"column s.x is long in the table and string"}},
        RefusedCase{"OnlyCase",
                    {{leaf("User", "long")}},
                    {{leaf("user", "long")}},
                    {"column user", "User", "case"}},
        RefusedCase{"TwiceByCase", {}, {{leaf("a", "long"), leaf("A", "long")}}, {"'A'", "twice"}},
        RefusedCase{"TwiceByCaseInside",
                    {},
                    {{nested("s", TypeKind::kStruct, {leaf("a", "long"), leaf("A", "long")})}},
                    {"s.A", "twice"}},
        RefusedCase{"Space", {}, {{leaf("a b", "long")}}, {"'a b'"}},
        RefusedCase{"Equals", {}, {{leaf("a=b", "long")}}, {"'a=b'"}},
        RefusedCase{"NestedName",
                    {},
                    {{nested("s", TypeKind::kStruct, {leaf("x;y", "long")})}},
                    {"'s.x;y'"}},
        RefusedCase{"EmptyName", {}, {{leaf("", "long")}}, {"empty name"}}),
    [](const auto& row) { return row.param.name; });

TEST(MergeSchema, LeavesOddNamesAloneThatAreThereAlready) {
  const Schema table{{leaf("a b", "long")}};
  EXPECT_EQ(merge_schema(table, {{leaf("a b", "long")}}), table);
}

TEST(NewSchema, MakesEverythingNullableButTheKeysOfMaps) {
  Field key = leaf("key", "string");
  key.nullable = false;
  Field value = leaf("value", "long");
  value.nullable = false;
  Field map = nested("m", TypeKind::kMap, {key, value});
  map.nullable = false;
  const Schema schema = new_schema({{map}});
  EXPECT_TRUE(schema.fields[0].nullable);
  EXPECT_FALSE(schema.fields[0].type.fields[0].nullable);
  EXPECT_TRUE(schema.fields[0].type.fields[1].nullable);
}

TEST(UsesType, LooksInside) {
  const Schema schema{{nested("l", TypeKind::kList, {leaf("element", "timestamp_ntz")})}};
  EXPECT_TRUE(uses_type(schema, TypeKind::kTimestampNtz));
  EXPECT_FALSE(uses_type(schema, TypeKind::kTimestamp));
}

}  // namespace
}  // namespace headrace::delta
