#include "format/json_rows.h"

#include <gmock/gmock.h>

#include "format/lines_to_parquet.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Taken {
  std::vector<std::string> rows;  // "<line> <text> [<field>, ...]"
  ObjectRows came;
};

std::string describe(const JsonRows::Row& row) {
  std::string out = std::to_string(row.line) + " " + std::string(row.text) + " [";
  for (std::size_t i = 0; i < row.fields.size(); ++i) {
    out += (i > 0 ? ", " : "") + row.fields[i].value_or("-");
  }
  return out + "]";
}

/// Reads `text` in pieces of `cut` bytes.
Taken take(std::string_view text, std::vector<std::string> paths = {}, std::size_t cut = 1u << 20,
           JsonRowsOptions options = {}) {
  Taken taken;
  JsonRows rows(std::move(paths), options);
  const auto one = [&](const JsonRows::Row& row) {
    taken.rows.push_back(describe(row));
    return std::string();
  };
  rows.begin_object();
  for (std::size_t at = 0; at < text.size(); at += cut) rows.write(text.substr(at, cut), one);
  taken.came = rows.end_object(one);
  return taken;
}

TEST(JsonRows, GivesEachLineAsItStandsAndItsFields) {
  const auto taken = take(
      "{ \"a\" : \"x\\u00e9\\n\" ,\"n\":1.50,\"b\":{\"c\":{\"d\":true}}}\r\n"
      "\n"
      "{\"b\":{\"c\":7,\"e\":[1]},\"a\":null}",
      {"a", "n", "b.c.d", "b", "b.c", "b.e"});
  EXPECT_THAT(taken.rows,
              ElementsAre("1 { \"a\" : \"x\\u00e9\\n\" ,\"n\":1.50,\"b\":{\"c\":{\"d\":true}}} "
                          "[x\xC3\xA9\n, 1.50, true, -, -, -]",
                          "3 {\"b\":{\"c\":7,\"e\":[1]},\"a\":null} [-, -, -, -, 7, -]"));
  EXPECT_EQ(taken.came.rows, 2u);
}

TEST(JsonRows, FindsAFieldWhoseKeyIsEscapedAndTakesTheFirstOfTwo) {
  EXPECT_THAT(take(R"({"\u0061":1,"a":2})", {"a"}).rows,
              ElementsAre(R"(1 {"\u0061":1,"a":2} [1])"));
}

TEST(JsonRows, MakesOneLineOfADocumentThatGoesOverSeveral) {
  EXPECT_THAT(take("{\n  \"a\": 1,\n  \"b\": \"x\\n\"\n}\n{\n\"a\":2}\n", {"a"}).rows,
              ElementsAre("1 {   \"a\": 1,   \"b\": \"x\\n\" } [1]", "5 { \"a\":2} [2]"));
  EXPECT_THAT(take("[{\"a\":1},\n {\"a\":2}]", {"a"}).rows,
              ElementsAre("1 {\"a\":1} [1]", "2 {\"a\":2} [2]"));
}

TEST(JsonRows, ABadLineIsAFaultAndCostsNoOther) {
  const auto taken =
      take("{\"a\":1}\n{\"a\":\n[1]\n{\"a\":1}x\n{\"a\":\"\xFF\"}\n{\"a\":2}\n", {"a"});
  EXPECT_THAT(taken.rows, ElementsAre("1 {\"a\":1} [1]", "6 {\"a\":2} [2]"));
  ASSERT_EQ(taken.came.faults.size(), 4u);
  EXPECT_EQ(taken.came.faults[0].line, 2u);
  EXPECT_EQ(taken.came.faults[0].text, "{\"a\":");
  EXPECT_EQ(taken.came.faults[2].text, "{\"a\":1}x");
  EXPECT_EQ(taken.came.fault_count, 4u);
}

TEST(JsonRows, WhoTakesARowMayRefuseIt) {
  JsonRows rows({"a"});
  const auto refuse = [](const JsonRows::Row& row) {
    return row.fields[0] ? std::string() : std::string("no a");
  };
  rows.begin_object();
  rows.write("{\"a\":1}\n{}\n", refuse);
  const ObjectRows came = rows.end_object(refuse);
  EXPECT_EQ(came.rows, 1u);
  ASSERT_EQ(came.faults.size(), 1u);
  EXPECT_EQ(came.faults[0].reason, "no a");
  EXPECT_EQ(came.faults[0].line, 2u);
}

TEST(JsonRows, LimitsDepthAndLength) {
  EXPECT_THAT(take("{\"a\":[[1]]}\n", {"b"}, 1u << 20, {.depth = 2}).came.faults,
              ElementsAre(testing::Field(&LineFault::reason, HasSubstr("too deep"))));
  EXPECT_THAT(take("{\"a\":{\"b\":{}}}\n", {"a.b.c"}, 1u << 20, {.depth = 2}).came.faults,
              ElementsAre(testing::Field(&LineFault::reason, HasSubstr("too deep"))));
  const auto taken = take("{\"a\":\"" + std::string(100, 'x') + "\"}\n{\"a\":1}\n", {"a"}, 10,
                          {.line_bytes = 50, .fault_bytes = 5});
  EXPECT_THAT(taken.rows, ElementsAre("2 {\"a\":1} [1]"));
  EXPECT_THAT(taken.came.faults[0].reason, HasSubstr("longer than the limit of 50"));
}

/// LinesToParquet is the measure of what is a row: whatever the text and wherever it is cut, both
/// find the same rows and the same faults at the same lines.
TEST(JsonRows, AgreesWithTheConverterOnWhatIsARow) {
  const std::string texts[] = {
      "",
      "\n\n",
      "{}",
      "\xEF\xBB\xBF{\"a\":1}\n{\"a\":2}",
      "[]",
      "[1,2]",
      "\xEF\xBB\xBF[{\"a\":1}\n,{\"a\":2},]",
      "{\n\"a\":1\n}\n",
      "{\n\"a\":1\n",
      "{\"a\":1}\n{\n\"a\":2}\n",
      "nonsense\n{\"a\":1}\n",
      "{\"a\":\"open\n{\"a\":1}\n",
      "[{\"a\":\"open\n},{\"a\":1}]",
      "{\"a\":1}{\"a\":2}\n{\"a\":1} \t\r\n",
      "{\"a\":01}\n{\"a\":tru}\n{\"a\" 1}\n{\"a\":1,}\n{,}\n{\"a\":{\"b\":}}\n",
  };
  for (const std::string& text : texts) {
    for (const std::size_t cut : {1u, 3u, 1000u}) {
      const auto taken = take(text, {"a", "a.b"}, cut);
      LinesToParquet convert({});
      convert.begin_object();
      for (std::size_t at = 0; at < text.size(); at += cut) {
        convert.write(std::string_view(text).substr(at, cut));
      }
      const ObjectRows came = convert.end_object();
      EXPECT_EQ(taken.came.rows, came.rows) << text;
      ASSERT_EQ(taken.came.fault_count, came.fault_count) << text;
      for (std::size_t i = 0; i < came.faults.size(); ++i) {
        EXPECT_EQ(taken.came.faults[i].line, came.faults[i].line) << text;
        EXPECT_EQ(taken.came.faults[i].text, came.faults[i].text) << text;
        EXPECT_EQ(taken.came.faults[i].reason, came.faults[i].reason) << text;
      }
    }
  }
}

TEST(LinesToParquetKeep, LeavesOutRowsAndTheColumnsThatOnlyTheyHave) {
  for (const std::uint64_t infer : {0u, 1u << 20}) {
    LinesToParquet convert(
        {.infer_bytes = infer, .keep = [](BytesView row) { return !row.contains("\"no\""); }});
    convert.begin_object();
    convert.write("{\"a\":1}\n{\"a\":2,\"no\":1}\nbad\n{\"a\":3,\"b\":1}\nbad \"no\"\n");
    const ObjectRows came = convert.end_object();
    EXPECT_EQ(came.rows, 2u);
    EXPECT_EQ(came.left_out, 2u);
    ASSERT_EQ(came.fault_count, 1u);
    EXPECT_EQ(came.faults[0].line, 3u);
    convert.finish();
    std::vector<std::string> names;
    for (const Field& field : convert.schema().fields) names.push_back(field.name);
    EXPECT_THAT(names, ElementsAre("a", "b"));
  }
}

}  // namespace
}  // namespace headrace
