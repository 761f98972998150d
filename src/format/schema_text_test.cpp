#include "format/schema_text.h"

#include <gtest/gtest.h>

#include <string>

namespace headrace {
namespace {

TEST(TypeTextTest, LeadsBackToWhatItSays) {
  for (const char* text :
       {"boolean", "byte", "short", "integer", "long", "float", "double", "decimal(10,2)",
        "decimal(38,0)", "string", "binary", "date", "timestamp", "timestamp_ntz", "array<long>",
        "map<string,array<date>>", "struct<a:long,b:struct<c:array<decimal(5,1)>,d:string>>"}) {
    const auto type = parse_type(text);
    ASSERT_TRUE(type) << text;
    EXPECT_EQ(to_string(*type), text);
  }
}

TEST(TypeTextTest, TakesSpacesAndCapitalLetters) {
  EXPECT_EQ(to_string(*parse_type(" STRUCT < Name : Map<String , Decimal( 4 , 2 )> > ")),
            "struct<Name:map<string,decimal(4,2)>>");
  EXPECT_EQ(to_string(*parse_type("decimal")), "decimal(10,0)");
}

TEST(TypeTextTest, IsNoneForAnythingElse) {
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "array<";
  for (const std::string& text :
       {std::string(""), std::string("text"), std::string("long long"), std::string("array"),
        std::string("array<>"), std::string("array<long"), std::string("map<long>"),
        std::string("struct<a>"), std::string("struct<:long>"), std::string("decimal(39,0)"),
        std::string("decimal(2,3)"), std::string("decimal(x)"), std::string("long>"), deep}) {
    EXPECT_FALSE(parse_type(text)) << text;
  }
}

}  // namespace
}  // namespace headrace
