#include "table/declared_columns.h"

#include <gmock/gmock.h>

#include "core/error.h"

namespace headrace {
namespace {

TableConfig declared(std::vector<std::pair<std::string, std::string>> columns) {
  TableConfig config;
  config.name = "people";
  std::uint32_t line = 1;
  for (auto& [name, type] : columns) {
    config.columns[name] = {.value = type, .where = {.line = line++, .column = 5}};
  }
  return config;
}

std::string text(const Schema& schema) {
  std::string out;
  for (const Field& field : schema.fields) out += field.name + ":" + to_string(field.type) + " ";
  return out;
}

TEST(DeclaredColumns, AreAddedInTheOrderOfTheFile) {
  const auto config =
      declared({{"z", "long"}, {"a b", "struct<c=d:date>"}, {"m", "array<integer>"}});
  EXPECT_EQ(text(with_declared_columns({}, config)),
            "z:long a%20b:struct<c%3Dd:date> m:array<integer> ");
}

TEST(DeclaredColumns, LeaveTheTablesOwnAloneAndMustAgreeWithThem) {
  Schema known = with_declared_columns({}, declared({{"a", "long"}, {"b", "string"}}));
  known.fields[0].field_id = 7;
  known.fields[0].nullable = false;
  EXPECT_EQ(with_declared_columns(known, declared({{"a", "Long"}})), known);
  EXPECT_EQ(text(with_declared_columns(known, declared({{"c", "date"}}))),
            "a:long b:string c:date ");
  for (const auto& other : {declared({{"a", "string"}}), declared({{"A", "long"}})}) {
    try {
      with_declared_columns(known, other);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_THAT(error.what(), testing::HasSubstr("of table people is"));
    }
  }
}

TEST(DeclaredColumns, AreCheckedWhenTheStackIsRead) {
  EXPECT_EQ(wrong_column_types(declared({{"a", "long"}}).columns), "");
  EXPECT_THAT(wrong_column_types(declared({{"a", "longer"}}).columns),
              testing::HasSubstr("column a: \"longer\" is no type"));
  EXPECT_THAT(wrong_column_types(declared({{"a", "array<map<long,long>>"}}).columns),
              testing::HasSubstr("the keys of a map are string"));
  EXPECT_NE(wrong_column_types(declared({{"a", "struct<>"}}).columns), "");
  TableConfig fixed;
  fixed.schema = SchemaMode::kFixed;
  EXPECT_NE(wrong_table(fixed), "");
}

}  // namespace
}  // namespace headrace
