#include "format/csv/csv_lines.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/random.h"
#include "format/csv/csv_model.h"
#include "format/read_back.h"

namespace headrace {
namespace {

std::string lines_of(std::string_view csv, CsvOptions options = {}, std::size_t piece = 1 << 20) {
  CsvLines lines(options);
  std::string out;
  for (std::size_t at = 0; at < csv.size(); at += piece) {
    lines.push(csv.substr(at, piece));
    out += lines.take();
  }
  lines.finish();
  return out + lines.take();
}

struct Case {
  const char* name;
  std::string_view csv;
  std::string_view lines;
};

class CsvTest : public testing::TestWithParam<Case> {};

TEST_P(CsvTest, BecomesJsonLinesForAnyCut) {
  const Case& row = GetParam();
  EXPECT_EQ(lines_of(row.csv), row.lines);
  EXPECT_EQ(lines_of(row.csv, {}, 1), row.lines);
  EXPECT_EQ(lines_of(row.csv, {.sample_bytes = 30}, 3).size(), row.lines.size());
}

INSTANTIATE_TEST_SUITE_P(
    Rules, CsvTest,
    testing::Values(
        Case{"Header", "a,b\n1,x\n2,y\n", "\n{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n"},
        Case{"NoHeader", "1,x\n2,y\n",
             "{\"column1\":1,\"column2\":\"x\"}\n{\"column1\":2,\"column2\":\"y\"}\n"},
        Case{"Semicolons", "a;b\n1,5;x\n2,5;y\n",
             "\n{\"a\":\"1,5\",\"b\":\"x\"}\n{\"a\":\"2,5\",\"b\":\"y\"}\n"},
        Case{"Tabs", "a\tb\r\n1\tx, y\r\n", "\n{\"a\":1,\"b\":\"x, y\"}\n"},
        Case{"Quotes", "a,b\n\"x \"\"y\"\", z\",\"1.5\"\n",
             "\n{\"a\":\"x \\\"y\\\", z\",\"b\":1.5}\n"},
        Case{"LineEndsInQuotesKeepTheLineNumbers", "a,b\n\"x\ny\",1\n2,3\n",
             "\n{\"a\":\"x\\u000ay\",\"b\":1}\n\n{\"a\":2,\"b\":3}\n"},
        Case{"EmptyIsNullQuotedEmptyIsText", "a,b\n,\"\"\n", "\n{\"b\":\"\"}\n"},
        Case{
            "TooFewAndTooMany", "a,b\n1\n1,2,3\n1,2\n2,2\n",
            "\n{\"a\":1}\n{\"a\":1,\"b\":2,\"column3\":3}\n{\"a\":1,\"b\":2}\n{\"a\":2,\"b\":2}\n"},
        Case{"LeadingZerosAreNoNumbers", "zip,n\n01234,-0.5e3\n",
             "\n{\"zip\":\"01234\",\"n\":-0.5e3}\n"},
        Case{"Booleans", "t,u\ntrue,true\nFALSE,maybe\n,\n",
             "\n{\"t\":true,\"u\":\"true\"}\n{\"t\":false,\"u\":\"maybe\"}\n{}\n"},
        Case{"NamesTwice", "a,a,b\n1,2,3\n",
             "{\"column1\":\"a\",\"column2\":\"a\",\"column3\":\"b\"}\n"
             "{\"column1\":1,\"column2\":2,\"column3\":3}\n"},
        Case{"NoLineEndAtTheEnd", "a,b\n1,2", "\n{\"a\":1,\"b\":2}\n"},
        Case{"AnEmptyTextAloneIsNoBlankLine", "a\n\"\"\n\n", "\n{\"a\":\"\"}\n\n"},
        Case{"AFieldTooManyTakesNoName", "a,column3\n1,2,3\n",
             "\n{\"a\":1,\"column3\":2,\"column3_2\":3}\n"},
        Case{"OnlyTheLineEndsReturnIsNoText", "a\tb\n\"x\"y\rz\t\"w\r\"\r\n",
             "\n{\"a\":\"xy\\u000dz\",\"b\":\"w\\u000d\"}\n"},
        Case{"BlankLines", "a,b\n\n1,2\n\n", "\n\n{\"a\":1,\"b\":2}\n\n"},
        Case{"ByteOrderMark",
             "\xEF\xBB\xBF"
             "a,b\n1,2\n",
             "\n{\"a\":1,\"b\":2}\n"},
        Case{"BackslashesAndControls", "a,b\n\\,\x01\n", "\n{\"a\":\"\\\\\",\"b\":\"\\u0001\"}\n"},
        Case{"Empty", "", ""}, Case{"OnlyAHeader", "a,b\n", "\n"}),
    [](const auto& row) { return row.param.name; });

TEST(Csv, TakesTheOptionsAtTheirWord) {
  EXPECT_EQ(lines_of("a,b|c\n", {.delimiter = '|', .header = false}),
            "{\"column1\":\"a,b\",\"column2\":\"c\"}\n");
  EXPECT_EQ(lines_of("1,1\n2,3\n", {.header = true}), "\n{\"1\":2,\"1_2\":3}\n");
  EXPECT_EQ(lines_of("column2,\n1,2\n", {.header = true}), "\n{\"column2\":1,\"column2_2\":2}\n");
}

TEST(Csv, MakesFaultsOfWhatIsBrokenWithTheLinesOfTheCsv) {
  const auto out = convert(lines_of("a,b\n1,x\n2,\xFF\n3,y\n4,\"never closed\n"));
  EXPECT_THAT(out.rows, testing::ElementsAre(R"({"a":1,"b":"x"})", R"({"a":3,"b":"y"})"));
  ASSERT_EQ(out.object.faults.size(), 2u);
  EXPECT_EQ(out.object.faults[0].line, 3u);
  EXPECT_EQ(out.object.faults[1].line, 5u);
}

TEST(Csv, MakesAFaultOfWhatEndsWithinQuotesEvenIfItIsJson) {
  const auto out = convert(lines_of("a,b\n1,x\n{\"a\":\"x,\"}"));
  EXPECT_THAT(out.rows, testing::ElementsAre(R"({"a":1,"b":"x"})"));
  ASSERT_EQ(out.object.faults.size(), 1u);
  EXPECT_EQ(out.object.faults[0].line, 3u);
}

TEST(Csv, LooksAtTheSameSampleForAnyCut) {
  const std::string csv = "a,b\ntrue,1\n" + std::string(40, ' ') + "\nno,2\n";
  const CsvOptions options{.sample_bytes = 30};
  const std::string whole = lines_of(csv, options);
  EXPECT_THAT(whole, testing::HasSubstr("{\"a\":true,"));
  EXPECT_EQ(lines_of(csv, options, 1), whole);
}

TEST(Csv, ReadsAnyTextAsAPlainReaderDoes) {
  SeededRandom random(1);
  constexpr std::string_view kLetters = "ab1,,;;\"\"\n\n\r\t|{";
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    for (std::uint64_t left = random.below(60); left > 0; --left) {
      text += kLetters[random.below(kLetters.size())];
    }
    CsvOptions options;
    options.sample_bytes = round % 2 == 0 ? 20 : 1'000;
    options.fields = 8;
    const std::vector<std::size_t> pieces = {1 + random.below(5), 1 + random.below(20)};
    ASSERT_EQ(csv_model::lines_by(text, options, pieces), csv_model::lines_of(text, options))
        << round << ": " << text;
  }
}

TEST(Csv, GivesColumnsTheirTypes) {
  const auto out =
      convert(lines_of("n,x,day,at,ok,who\n1,1.5,2026-01-31,2026-01-31T00:00:00Z,true,a\n"
                       "2,,,,,\n"));
  EXPECT_EQ(out.schema, "n:long,x:double,day:date,at:timestamp,ok:boolean,who:string");
}

TEST(Csv, RefusesARecordOfTooManyFields) {
  EXPECT_EQ(lines_of("1,2,3\n", {.fields = 3}), "{\"column1\":1,\"column2\":2,\"column3\":3}\n");
  EXPECT_THROW(lines_of("1,2,3,\n", {.fields = 3}), Error);
  CsvLines lines({.sample_bytes = 10});
  EXPECT_THROW(lines.push(std::string(200'000, ',')), Error);  // Before its end has come.
}

TEST(Csv, RefusesARecordWithoutEnd) {
  CsvLines lines({.record_bytes = 1'000});
  lines.push("a,b\n1,2\n\"");
  EXPECT_THROW(
      {
        lines.push(std::string(3'000'000, 'x'));
        lines.finish();
      },
      Error);
}

}  // namespace
}  // namespace headrace
