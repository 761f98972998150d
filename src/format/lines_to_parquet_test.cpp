#include "format/lines_to_parquet.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/random.h"
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

TEST(LinesToParquet, SaysWhichObjectAndLineARowComesFrom) {
  LinesToParquet convert({.object_column = true, .line_column = true});
  convert.begin_object({{"_object", "lake://in/a"}});
  convert.write("{\"n\":1}\nbroken\n{\"n\":2}\n");
  convert.end_object();
  convert.begin_object({{"_object", "lake://in/b"}}, 7);
  convert.write("{\"n\":3}");
  convert.end_object();
  const auto out = finish(convert);
  EXPECT_EQ(out.schema, "_object:string,_line:long,n:long");
  EXPECT_THAT(out.rows, ElementsAre(R"({"_object":"lake://in/a","_line":1,"n":1})",
                                    R"({"_object":"lake://in/a","_line":3,"n":2})",
                                    R"({"_object":"lake://in/b","_line":7,"n":3})"));
  EXPECT_THAT(out.files.at(0).stats, HasSubstr(R"("_object":"lake://in/a")"));
}

TEST(LinesToParquet, RescuesWhatARowItselfSaysOfItsOrigin) {
  LinesToParquet convert({.object_column = true, .line_column = true});
  convert.begin_object({{"_object", "lake://in/a"}});
  convert.write("{\"_object\":\"mine\",\"n\":1}\n{\"n\":2,\"_line\":9}\n{\"_object\":5}\n");
  convert.end_object();
  const auto out = finish(convert);
  EXPECT_EQ(out.schema, "_object:string,_line:long,n:long,_rescued_data:string");
  EXPECT_THAT(
      out.rows,
      ElementsAre(
          R"({"_object":"lake://in/a","_line":1,"n":1,"_rescued_data":"{\"_object\":\"mine\"}"})",
          R"({"_object":"lake://in/a","_line":2,"n":2,"_rescued_data":"{\"_line\":9}"})",
          R"({"_object":"lake://in/a","_line":3,"n":null,"_rescued_data":"{\"_object\":\"5\"}"})"));
}

TEST(LinesToParquet, RefusesAColumnOfAnotherKindWhereTheOriginBelongs) {
  ConvertOptions options{.schema = schema_of({field_of("_object", TypeKind::kLong)}),
                         .object_column = true};
  EXPECT_THROW(LinesToParquet{options}, Error);
  options.schema = {};
  options.partition_by = {"_object"};
  LinesToParquet convert(options);
  convert.begin_object({{"_object", "lake://in/a"}});
  convert.write("{\"n\":1}\n");
  convert.end_object();
  EXPECT_THROW(finish(convert), Error);
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

TEST(LinesToParquet, TakesPiecesOfAnyCut) {
  const std::string lines =
      "\xEF\xBB\xBF{\"a\":\"\xC3\xA9\\u00e9\"}\r\n\n  \t\n{\"a\":\"x\"}\r\n{\"a\":\"last\"}";
  const auto whole = convert(lines).rows;
  EXPECT_THAT(whole, ElementsAre(R"({"a":"éé"})", R"({"a":"x"})", R"({"a":"last"})"));
  for (std::size_t size = 1; size < lines.size(); ++size) {
    LinesToParquet convert({});
    convert.begin_object();
    for (std::size_t at = 0; at < lines.size(); at += size) {
      convert.write(std::string_view(lines).substr(at, size));
    }
    EXPECT_EQ(convert.end_object().rows, 3u);
    EXPECT_EQ(finish(convert).rows, whole) << "in pieces of " << size;
  }
}

TEST(LinesToParquet, CountsTheLinesOfEachObjectFromOne) {
  LinesToParquet convert({});
  for (int object = 0; object < 2; ++object) {
    convert.begin_object();
    convert.write("\n{}\n\nno\n{\"a\":1}\nno");
    const auto rows = convert.end_object();
    EXPECT_EQ(rows.rows, 2u);
    ASSERT_EQ(rows.faults.size(), 2u);
    EXPECT_EQ(rows.faults[0].line, 4u);
    EXPECT_EQ(rows.faults[1].line, 6u);
  }
  EXPECT_EQ(finish(convert).rows.size(), 4u);
}

TEST(LinesToParquet, CountsLinesAcrossBatches) {
  std::string lines;
  for (int i = 1; i <= 30'000; ++i) {
    lines += i % 10'000 == 0 ? "bad\n" : "{\"text\":\"" + std::string(100, 'x') + "\"}\n";
  }
  for (const std::uint64_t infer : {0u, 1u << 20, 64u << 20}) {
    ConvertOptions options;
    options.infer_bytes = infer;
    const auto out = convert(lines, options);
    EXPECT_EQ(out.rows.size(), 29'997u);
    ASSERT_EQ(out.object.faults.size(), 3u);
    EXPECT_EQ(out.object.faults[0].line, 10'000u);
    EXPECT_EQ(out.object.faults[2].line, 30'000u);
  }
}

TEST(LinesToParquet, KeepsTheFirstFaultsAndCountsAll) {
  ConvertOptions options;
  options.faults_per_object = 2;
  options.fault_bytes = 3;
  const auto out = convert("{}\nwrong\nwrong\nwrong\n", options);
  EXPECT_EQ(out.object.fault_count, 3u);
  ASSERT_EQ(out.object.faults.size(), 2u);
  EXPECT_EQ(out.object.faults[1].text, "wro");
}

TEST(LinesToParquet, PassesOverALineBeyondTheLimit) {
  const std::string huge = "{\"a\":\"" + std::string(3 << 20, 'x') + "\"}";
  for (const std::uint64_t limit : {1'000u, 1u << 20}) {
    ConvertOptions options;
    options.line_bytes = limit;
    const auto out = convert("{\"a\":\"1\"}\n" + huge + "\n{\"a\":\"2\"}\n" + huge, options);
    EXPECT_THAT(out.rows, ElementsAre(R"({"a":"1"})", R"({"a":"2"})"));
    ASSERT_EQ(out.object.fault_count, 2u);
    EXPECT_EQ(out.object.faults[0].line, 2u);
    EXPECT_EQ(out.object.faults[1].line, 4u);
    EXPECT_EQ(out.object.faults[0].text.size(), std::min<std::size_t>(64 << 10, huge.size()));
    EXPECT_THAT(out.object.faults[0].reason, HasSubstr("longer than the limit of"));
  }
}

TEST(LinesToParquet, TakesALineOfAHundredMegabytes) {
  std::string line = "{\"a\":[";
  while (line.size() < 100u << 20) line += "1234567,\"" + std::string(4'000, 'y') + "\",";
  line += "0]}";
  ConvertOptions options;
  options.codec = Codec::kNone;
  const auto out = convert(line + "\n{}\n", options);
  EXPECT_EQ(out.object.rows, 2u);
  EXPECT_EQ(out.schema, "a:array<string>");
  EXPECT_GT(out.rows.at(0).size(), 100u << 20);
}

struct DocumentCase {
  const char* name;
  std::string text;
  std::vector<std::string> rows;
  std::vector<std::string> faults;  ///< "line: reason"
};

class DocumentTest : public testing::TestWithParam<DocumentCase> {};

TEST_P(DocumentTest, ReadsRowsThatAreNotLines) {
  for (const std::size_t size : {1u, 7u, 1u << 20}) {
    for (const std::uint64_t infer : {0u, 1u << 20}) {
      ConvertOptions options;
      options.infer_bytes = infer;
      LinesToParquet convert(options);
      convert.begin_object();
      for (std::size_t at = 0; at < GetParam().text.size(); at += size) {
        convert.write(std::string_view(GetParam().text).substr(at, size));
      }
      const auto object = convert.end_object();
      EXPECT_EQ(object.rows, GetParam().rows.size());
      std::vector<std::string> faults;
      for (const LineFault& fault : object.faults) {
        faults.push_back(std::to_string(fault.line) + ": " + fault.reason);
      }
      EXPECT_EQ(faults, GetParam().faults);
      EXPECT_EQ(finish(convert).rows, GetParam().rows);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Forms, DocumentTest,
    testing::Values(
        DocumentCase{"OneObjectOverLines",
                     "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [1,\n2]\n  }\n}\n",
                     {R"({"a":1,"b":{"c":[1,2]}})"},
                     {}},
        DocumentCase{
            "ObjectsOverLines", "{\n\"a\": 1\n}\n{\n\"a\": 2\n}", {R"({"a":1})", R"({"a":2})"}, {}},
        DocumentCase{"ArrayOnOneLine", R"([{"a":1},{"a":2}])", {R"({"a":1})", R"({"a":2})"}, {}},
        DocumentCase{"ArrayOverLines",
                     "\xEF\xBB\xBF \n[\n{\"a\":\"],{\\\"\"},\n{\n\"a\":\"2\"}\n]\n",
                     {R"({"a":"],{\""})", R"({"a":"2"})"},
                     {}},
        DocumentCase{"EmptyArray", "[]", {}, {}},
        DocumentCase{"ArrayWithOtherThings",
                     "[{\"a\":1},\n2, \"x\",\n[3],{\"a\":4}]",
                     {R"({"a":1})", R"({"a":4})"},
                     {"2: column 1: expected '{': a row is a JSON object",
                      "2: column 1: expected '{': a row is a JSON object",
                      "3: column 1: expected '{': a row is a JSON object"}},
        DocumentCase{"ArrayCutShort",
                     "[\n{\"a\":1},\n{\"a\":",
                     {R"({"a":1})"},
                     {"3: column 6: the line ends within a value",
                      "3: the object ends within an array: it may have been cut short"}},
        DocumentCase{"BrokenString",
                     "[{\"a\":\"x\n\"},\n{\"a\":2}]",
                     {R"({"a":2})"},
                     {"1: a string is not closed", "2: a string is not closed"}},
        DocumentCase{"FirstLineBroken",
                     "{\"a\":\n{\"a\":2}\n{\"a\":3}\n",
                     {R"({"a":2})", R"({"a":3})"},
                     {"1: column 6: the line ends within a value"}},
        DocumentCase{"Nothing", "", {}, {}}, DocumentCase{"OnlyBlank", " \n\n", {}, {}}),
    [](const auto& row) { return row.param.name; });

TEST(DocumentTest, StreamsAnArrayLargerThanTheLimitForARow) {
  ConvertOptions options;
  options.line_bytes = 1'000;
  options.infer_bytes = 0;
  std::string text = "[";
  for (int i = 0; i < 50'000; ++i) {
    if (i > 0) text += ",\n";
    text += "{\"a\":" + std::to_string(i) +
            (i == 30'000 ? ",\"b\":\"" + std::string(5'000, 'x') + "\"}" : "}");
  }
  const auto out = convert(text + "]", options);
  EXPECT_EQ(out.rows.size(), 49'999u);
  EXPECT_EQ(out.rows.back(), R"({"a":49999})");
  ASSERT_EQ(out.object.fault_count, 1u);
  EXPECT_EQ(out.object.faults[0].line, 30'001u);
}

TEST(LinesToParquet, ClosesFilesAtTheirSizeAndGivesThemOnce) {
  ConvertOptions options;
  options.file_bytes = 1;  // A file for every row group.
  LinesToParquet convert(options);
  convert.begin_object();
  std::string lines;
  for (int i = 0; i < 250'000; ++i) lines += "{\"n\":" + std::to_string(i) + "}\n";
  convert.write(lines);
  convert.end_object();
  const auto early = finish(convert);
  EXPECT_EQ(early.files.size(), 3u);
  EXPECT_EQ(early.files[0].rows, 122'880u);
  ASSERT_EQ(early.rows.size(), 250'000u);
  EXPECT_EQ(early.rows[249'999], R"({"n":249999})");
  EXPECT_THAT(early.files[1].stats, HasSubstr(R"("minValues":{"n":122880})"));
  EXPECT_THAT(convert.take_files(), IsEmpty());
}

TEST(LinesToParquet, TakesAColumnThatIsAddedIntoAFileThatHasRowGroups) {
  ConvertOptions options;
  options.infer_bytes = 0;
  LinesToParquet convert(options);
  convert.begin_object();
  std::string lines;
  for (int i = 0; i < 130'000; ++i) lines += "{\"n\":1}\n";
  convert.write(lines);
  convert.write("{\"n\":2,\"m\":\"new\"}\n");
  convert.end_object();
  const auto out = finish(convert);
  ASSERT_EQ(out.files.size(), 1u);
  EXPECT_EQ(out.files[0].rows, 130'001u);
  EXPECT_EQ(out.rows.front(), R"({"n":1,"m":null})");
  EXPECT_EQ(out.rows.back(), R"({"n":2,"m":"new"})");
}

TEST(LinesToParquet, KeepsFewPartitionsOpen) {
  ConvertOptions options;
  options.partition_by = {"p"};
  options.open_partitions = 3;
  std::string lines;
  for (int i = 0; i < 400; ++i) {
    lines += "{\"p\":" + std::to_string(i % 10) + ",\"n\":" + std::to_string(i) + "}\n";
  }
  const auto out = convert(lines, options);
  EXPECT_EQ(out.rows.size(), 400u);
  EXPECT_GT(out.files.size(), 100u);
}

TEST(LinesToParquet, ClosesFilesEarlyWhenMemoryIsShort) {
  ConvertOptions options;
  options.memory_bytes = 1u << 20;
  std::string lines;
  SeededRandom random(3);  // Packing must not make little of it.
  for (int i = 0; i < 40'000; ++i) {
    lines += "{\"text\":\"" + random.uuid() + random.uuid() + random.uuid() + "\"}\n";
  }
  const auto out = convert(lines, options);
  EXPECT_EQ(out.rows.size(), 40'000u);
  EXPECT_GT(out.files.size(), 1u);
}

TEST(LinesToParquet, WritesRowsWithoutAnyColumn) {
  ConvertOptions options;
  options.partition_by = {"p"};
  const auto out = convert("{}\n{\"p\":\"x\"}\n{\"q\":null}\n", options);
  EXPECT_EQ(out.schema, "p:string,_rescued_data:string");
  EXPECT_EQ(out.rows.size(), 3u);
  EXPECT_EQ(out.rescued, 0u);
}

TEST(LinesToParquet, GivesNoFilesForNoRows) {
  const auto out = convert("\n\nnothing\n");
  EXPECT_THAT(out.files, IsEmpty());
  EXPECT_EQ(out.schema, "");
}

TEST(LinesToParquet, SpellsPartitionValuesAsDeltaDoes) {
  struct Case {
    DataType type;
    std::string value;
    std::optional<std::string> expected;
  };
  const auto plain = [](TypeKind kind) { return DataType{.kind = kind}; };
  for (const Case& row :
       {Case{plain(TypeKind::kString), R"("a b/ü")", "a b/ü"},
        Case{plain(TypeKind::kString), R"("")", std::nullopt},
        Case{plain(TypeKind::kLong), "-7", "-7"}, Case{plain(TypeKind::kBoolean), "true", "true"},
        Case{plain(TypeKind::kDouble), "10000000", "1.0E7"},
        Case{plain(TypeKind::kDouble), "0.00012", "1.2E-4"},
        Case{plain(TypeKind::kDouble), "-12.50", "-12.5"},
        Case{plain(TypeKind::kFloat), "0.001", "0.001"},
        Case{DataType{.kind = TypeKind::kDecimal, .precision = 10, .scale = 2}, "5", "5.00"},
        Case{DataType{.kind = TypeKind::kDecimal, .precision = 30, .scale = 3}, "-0.05", "-0.050"},
        Case{plain(TypeKind::kDate), R"("2024-06-15")", "2024-06-15"},
        Case{plain(TypeKind::kTimestamp), R"("2024-06-15T19:30:45Z")",
             "2024-06-15T19:30:45.000000Z"},
        Case{plain(TypeKind::kTimestampNtz), R"("2024-06-15T12:30:45.25")",
             "2024-06-15 12:30:45.250000"},
        Case{plain(TypeKind::kLong), R"("x")", std::nullopt}}) {
    ConvertOptions options;
    options.partition_by = {"p"};
    options.schema.fields.push_back({.name = "p", .type = row.type});
    const auto out = convert("{\"p\":" + row.value + ",\"n\":1}\n", options);
    ASSERT_EQ(out.files.size(), 1u);
    EXPECT_EQ(out.files[0].partition.at("p"), row.expected) << row.value;
    // The same value from the object's key, where it can be spelled without quotes.
    std::string text = row.value;
    std::erase(text, '"');
    LinesToParquet from_key(options);
    from_key.begin_object({{"p", text}});
    from_key.write("{\"n\":1}\n");
    from_key.end_object();
    const auto keyed = finish(from_key);
    EXPECT_EQ(keyed.files.at(0).partition.at("p"), row.expected) << text;
    EXPECT_EQ(keyed.rescued, row.value == R"("x")" ? 1u : 0u);
  }
}

TEST(LinesToParquet, TreatsARowWithoutARequiredValueAsAFault) {
  ConvertOptions options;
  options.schema = schema_of({field_of("id", TypeKind::kLong), field_of("x", TypeKind::kLong)});
  options.schema.fields[0].nullable = false;
  const auto out = convert(
      "{\"id\":1}\n{\"x\":1}\n{\"id\":null}\n{\"id\":\"a\"}\n{\"id\":2,\"y\":3}\n", options);
  EXPECT_THAT(out.rows, ElementsAre(R"({"id":1,"x":null,"y":null})", R"({"id":2,"x":null,"y":3})"));
  ASSERT_EQ(out.object.faults.size(), 3u);
  EXPECT_THAT(out.object.faults[0].reason, HasSubstr("must not be null"));
  EXPECT_THAT(out.object.faults[1].reason, HasSubstr("must not be null"));
  EXPECT_THAT(out.object.faults[2].reason, HasSubstr("must not be null"));
}

TEST(LinesToParquet, NumbersTheFieldsForParquet) {
  ConvertOptions options;
  options.schema = schema_of({field_of("a", TypeKind::kLong)});
  options.schema.fields[0].field_id = 7;
  LinesToParquet convert(options);
  convert.begin_object();
  convert.write("{\"a\":1,\"b\":[{\"c\":1}]}\n");
  convert.end_object();
  convert.finish();
  const Schema schema = convert.schema();
  EXPECT_EQ(schema.fields[0].field_id, 7);
  EXPECT_EQ(schema.fields[1].field_id, 8);
  EXPECT_EQ(schema.fields[1].type.fields[0].field_id, 9);
  EXPECT_EQ(schema.fields[1].type.fields[0].type.fields[0].field_id, 10);
}

TEST(LinesToParquet, RefusesWhatItsLimitsForbid) {
  const auto kind_of = [](const std::string& lines, ConvertOptions options) {
    try {
      convert(lines, options);
    } catch (const Error& error) {
      return std::pair(error.kind(), std::string(error.what()));
    }
    return std::pair(ErrorKind::kBug, std::string("nothing thrown"));
  };
  std::string wide = "{";
  for (int i = 0; i < 30; ++i) wide += "\"k" + std::to_string(i) + "\":1,";
  wide.back() = '}';
  ConvertOptions few;
  few.columns = 20;
  const auto [kind, what] = kind_of(wide, few);
  EXPECT_EQ(kind, ErrorKind::kInvalid);
  EXPECT_THAT(what, HasSubstr("limit is 20"));
  ConvertOptions nested;
  nested.partition_by = {"p"};
  nested.schema.fields.push_back(
      {.name = "p",
       .type = {.kind = TypeKind::kStruct, .fields = {field_of("a", TypeKind::kLong)}}});
  EXPECT_EQ(kind_of("{}", nested).first, ErrorKind::kInvalid);
  ConvertOptions rescued;
  rescued.schema = schema_of({field_of("_rescued_data", TypeKind::kLong)});
  EXPECT_EQ(kind_of("{}", rescued).first, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace headrace
