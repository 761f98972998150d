#include "format/lines_to_parquet.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "format/read_back.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(LinesToParquet, MakesColumnsOfTheKeysAndRowsOfTheLines) {
  const auto out = convert(
      "{\"id\":1,\"name\":\"ada\",\"score\":1.5,\"ok\":true,\"at\":\"2026-01-31T09:08:07Z\"}\n"
      "{\"id\":2,\"name\":\"b\\u00e9\\n\",\"score\":2,\"ok\":null}\n");
  EXPECT_EQ(out.schema, "id:long,name:string,score:double,ok:boolean,at:timestamp");
  EXPECT_THAT(
      out.rows,
      ElementsAre(R"({"id":1,"name":"ada","score":1.5,"ok":true,"at":"2026-01-31T09:08:07Z"})",
                  R"({"id":2,"name":"bé\n","score":2,"ok":null,"at":null})"));
  EXPECT_EQ(out.object.rows, 2u);
  EXPECT_EQ(out.object.fault_count, 0u);
  EXPECT_EQ(out.files.at(0).stats,
            R"({"numRecords":2,"minValues":{"id":1,"name":"ada","score":1.5,)"
            R"("at":"2026-01-31T09:08:07.000Z"},"maxValues":{"id":2,"name":"bé\n","score":2,)"
            R"("at":"2026-01-31T09:08:07.000Z"},"nullCount":{"id":0,"name":0,"score":0,"ok":1,)"
            R"("at":1}})");
}

TEST(LinesToParquet, ShredsNestedStructsAndLists) {
  const auto out =
      convert(R"({"a":{"b":1,"c":[{"d":1},{"e":"x"},null,{}]},"m":[[1,2],[],null,[3]]})"
              "\n"
              R"({"m":null})"
              "\n"
              R"({"a":{"b":2,"c":[]},"m":[]})"
              "\n"
              R"({"a":{},"m":[[],[4]]})"
              "\n");
  EXPECT_EQ(out.schema, "a:struct<b:long,c:array<struct<d:long,e:string>>>,m:array<array<long>>");
  EXPECT_THAT(
      out.rows,
      ElementsAre(
          R"({"a":{"b":1,"c":[{"d":1,"e":null},{"d":null,"e":"x"},null,{"d":null,"e":null}]},)"
          R"("m":[[1,2],[],null,[3]]})",
          R"({"a":null,"m":null})", R"({"a":{"b":2,"c":[]},"m":[]})",
          R"({"a":{"b":null,"c":null},"m":[[],[4]]})"));
}

TEST(LinesToParquet, KeepsWhatDoesNotFitInTheRescuedColumn) {
  ConvertOptions options;
  options.schema = schema_of({field_of("n", TypeKind::kLong)});
  const auto out = convert("{\"n\":1}\n{\"n\":\"one\"}\n{\"n\":1.5}\n{\"n\":3.0}\n", options);
  EXPECT_EQ(out.schema, "n:long,_rescued_data:string");
  EXPECT_THAT(out.rows, ElementsAre(R"({"n":1,"_rescued_data":null})",
                                    R"({"n":null,"_rescued_data":"{\"n\":\"one\"}"})",
                                    R"({"n":null,"_rescued_data":"{\"n\":1.5}"})",
                                    R"({"n":3,"_rescued_data":null})"));
  EXPECT_EQ(out.rescued, 2u);
}

TEST(LinesToParquet, PutsEachPartitionInAFileOfItsOwnWithoutItsColumn) {
  ConvertOptions options;
  options.partition_by = {"country", "day"};
  LinesToParquet convert(options);
  convert.begin_object({{"day", "2026-01-31"}, {"country", "from the key"}, {"other", "x"}});
  convert.write(
      "{\"n\":1,\"country\":\"fr\"}\n{\"n\":2,\"country\":\"de\"}\n{\"n\":3}\n"
      "{\"n\":4,\"country\":null}\n{\"n\":5,\"country\":\"fr\"}\n");
  EXPECT_EQ(convert.end_object().rows, 5u);
  const auto out = finish(convert);
  EXPECT_EQ(out.schema, "n:long,country:string,day:string");
  ASSERT_EQ(out.files.size(), 4u);
  EXPECT_THAT(out.rows,
              ElementsAre(R"({"n":4})", R"({"n":2})", R"({"n":1})", R"({"n":5})", R"({"n":3})"));
  EXPECT_EQ(out.files[0].partition.at("country"), std::nullopt);
  EXPECT_EQ(out.files[1].partition.at("country"), "de");
  EXPECT_EQ(out.files[3].partition.at("country"), "from the key");
  EXPECT_EQ(out.files[3].partition.at("day"), "2026-01-31");
}

TEST(LinesToParquet, AddsAColumnWhenANewKeyComes) {
  ConvertOptions options;
  options.infer_bytes = 0;
  LinesToParquet convert(options);
  for (const char* line : {"{\"a\":1}", "{\"a\":2,\"b\":\"x\"}", "{\"c\":{\"d\":[1]}}"}) {
    convert.begin_object();
    convert.write(line);
    EXPECT_EQ(convert.end_object().rows, 1u);
  }
  const auto out = finish(convert);
  EXPECT_EQ(out.schema, "a:long,b:string,c:struct<d:array<long>>");
  EXPECT_EQ(out.files.size(), 1u) << "rows that wait take part in the wider schema";
  EXPECT_THAT(out.rows, ElementsAre(R"({"a":1,"b":null,"c":null})", R"({"a":2,"b":"x","c":null})",
                                    R"({"a":null,"b":null,"c":{"d":[1]}})"));
}

struct FaultCase {
  const char* name;
  std::string line;
  std::string reason;
};

class LinesToParquetFaultTest : public testing::TestWithParam<FaultCase> {};

TEST_P(LinesToParquetFaultTest, CostsNoOtherLine) {
  for (const std::size_t infer : {0u, 1u << 20}) {
    ConvertOptions options;
    options.infer_bytes = infer;
    const auto out = convert("{\"a\":1}\n" + GetParam().line + "\n{\"a\":2}\r\n", options);
    EXPECT_THAT(out.rows, ElementsAre(R"({"a":1})", R"({"a":2})"));
    EXPECT_EQ(out.object.rows, 2u);
    ASSERT_EQ(out.object.fault_count, 1u);
    EXPECT_EQ(out.object.faults[0].line, 2u);
    EXPECT_EQ(out.object.faults[0].reason, GetParam().reason);
    EXPECT_EQ(out.object.faults[0].text, GetParam().line.substr(0, 64 << 10));
  }
}

std::string nested(int depth) {
  return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

INSTANTIATE_TEST_SUITE_P(
    Lines, LinesToParquetFaultTest,
    testing::Values(
        FaultCase{"Truncated", R"({"a":1)", "column 7: the line ends within a value"},
        FaultCase{"TruncatedAfterColon", R"({"a":)", "column 6: the line ends within a value"},
        FaultCase{"TruncatedInString", R"({"a":"x)", "a string is not closed"},
        FaultCase{"ControlInString", "{\"a\":\"x\ty\"}",
                  "a string is not closed, or holds a control character"},
        FaultCase{"Scalar", "17", "column 1: expected '{': a row is a JSON object"},
        FaultCase{"Array", "[1]", "column 1: expected '{': a row is a JSON object"},
        FaultCase{"NoJson", "hello", "column 1: expected '{': a row is a JSON object"},
        FaultCase{"TwoObjects", R"({"a":1}{"a":2})", "column 8: expected nothing after the object"},
        FaultCase{"NoColon", R"({"a" 1})", "column 6: expected ':'"},
        FaultCase{"NoComma", R"({"a":1 "b":2})", "column 8: expected ',' or '}'"},
        FaultCase{"CommaAtEnd", R"({"a":1,})", "column 8: expected a key"},
        FaultCase{"NumberWithZero", R"({"a":01})", "column 6: expected a value"},
        FaultCase{"NumberGluedToText", R"({"a":1"x"})", "column 6: expected a value"},
        FaultCase{"WordNotKnown", R"({"a":nil})", "column 6: expected a value"},
        FaultCase{"BadEscape", R"({"a":"\x"})", "column 6: a string is malformed"},
        FaultCase{"BadEscapeInKey", R"({"\x":1})", "column 2: a key is malformed"},
        FaultCase{"BadUtf8", "{\"a\":\"\xC0\x80\"}", "not valid UTF-8"},
        FaultCase{"TooDeep", nested(10'000), "column 1005: nested too deeply"},
        FaultCase{"WrongInAnUnknownPart", R"({"zz":{"y":[1,2}})",
                  "column 16: expected ',' or ']'"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace headrace
