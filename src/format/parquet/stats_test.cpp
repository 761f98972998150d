#include "format/parquet/stats.h"

#include <gmock/gmock.h>

#include "format/read_back.h"

namespace headrace {
namespace {

using parquet_file::lower_bound_text;
using parquet_file::upper_bound_text;
using testing::HasSubstr;
using testing::Not;

std::string repeat(std::string_view text, int times) {
  std::string out;
  while (times-- > 0) out += text;
  return out;
}

TEST(TextBounds, KeepShortTextsWhole) {
  EXPECT_EQ(lower_bound_text(repeat("x", 32)), repeat("x", 32));
  EXPECT_EQ(upper_bound_text(repeat("x", 32)), repeat("x", 32));
  EXPECT_EQ(upper_bound_text(""), "");
}

TEST(TextBounds, CutTheLeastAndRaiseTheGreatest) {
  EXPECT_EQ(lower_bound_text(repeat("x", 40)), repeat("x", 32));
  EXPECT_EQ(upper_bound_text(repeat("x", 40)), repeat("x", 32) + "\x7F");
  EXPECT_EQ(upper_bound_text(repeat("é", 40)), repeat("é", 32) + "\U0010FFFF");
  EXPECT_EQ(upper_bound_text(repeat("x", 32) + "\x7Fy"), repeat("x", 32) + "\U0010FFFF");
}

TEST(TextBounds, CountUtf16UnitsAndSplitNoCharacter) {
  EXPECT_EQ(lower_bound_text(repeat("😀", 20)), repeat("😀", 16));
  EXPECT_EQ(lower_bound_text("x" + repeat("😀", 20)), "x" + repeat("😀", 15));
  EXPECT_EQ(upper_bound_text(repeat("😀", 20)), repeat("😀", 16) + "\U0010FFFF");
}

TEST(TextBounds, GoOnBehindTheGreatestCharacterAndGiveUpAt64) {
  const std::string top = "\U0010FFFF";
  EXPECT_EQ(upper_bound_text(repeat("x", 32) + top + "ab"), repeat("x", 32) + top + "\x7F");
  EXPECT_EQ(upper_bound_text(repeat(top, 40)), std::nullopt);
  EXPECT_EQ(upper_bound_text(repeat("x", 32) + top), repeat("x", 32) + top);
}

TEST(TextBounds, HoldForRandomTexts) {
  std::uint64_t state = 1;
  const auto next = [&](std::uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % bound;
  };
  const std::vector<std::string> characters = {"a", "~", "\x7F", "é", "￿", "😀", "\U0010FFFF"};
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (auto left = next(80); left > 0; --left) text += characters[next(characters.size())];
    EXPECT_LE(lower_bound_text(text), text);
    if (const auto upper = upper_bound_text(text)) EXPECT_GE(*upper, text);
  }
}

struct StatsCase {
  const char* name;
  DataType type;
  std::vector<std::string> values;
  std::string least;  ///< Empty: no bounds.
  std::string most;
  int nulls;
};

class StatsTest : public testing::TestWithParam<StatsCase> {};

TEST_P(StatsTest, BoundsEveryRow) {
  const StatsCase& row = GetParam();
  ConvertOptions options;
  options.schema.fields.push_back({.name = "v", .type = row.type});
  std::string lines;
  for (const std::string& value : row.values) lines += "{\"v\":" + value + "}\n";
  const auto out = convert(lines, options);
  const std::string least = row.least.empty() ? "{}" : "{\"v\":" + row.least + "}";
  const std::string most = row.most.empty() ? "{}" : "{\"v\":" + row.most + "}";
  EXPECT_EQ(out.files.at(0).stats, "{\"numRecords\":" + std::to_string(row.values.size()) +
                                       ",\"minValues\":" + least + ",\"maxValues\":" + most +
                                       ",\"nullCount\":{\"v\":" + std::to_string(row.nulls) + "}}");
}

DataType plain(TypeKind kind) { return {.kind = kind}; }

INSTANTIATE_TEST_SUITE_P(
    Types, StatsTest,
    testing::Values(
        StatsCase{"Long",
                  plain(TypeKind::kLong),
                  {"3", "null", "-9223372036854775808"},
                  "-9223372036854775808",
                  "3",
                  1},
        StatsCase{"Integer", plain(TypeKind::kInteger), {"3", "-1"}, "-1", "3", 0},
        StatsCase{"Boolean", plain(TypeKind::kBoolean), {"true", "null"}, "", "", 1},
        StatsCase{
            "Double", plain(TypeKind::kDouble), {"0.1", "1e300", "-2.5"}, "-2.5", "1e+300", 0},
        StatsCase{"DoubleZeros", plain(TypeKind::kDouble), {"0.0", "-0.0"}, "-0", "0", 0},
        StatsCase{"Float", plain(TypeKind::kFloat), {"0.1", "2"}, "0.1", "2", 0},
        StatsCase{"Decimal",
                  {.kind = TypeKind::kDecimal, .precision = 5, .scale = 2},
                  {"1.5", "-0.05"},
                  "-0.05",
                  "1.50",
                  0},
        StatsCase{"WideDecimal",
                  {.kind = TypeKind::kDecimal, .precision = 38},
                  {"-99999999999999999999999999999999999999", "7", "18446744073709551616"},
                  "-99999999999999999999999999999999999999",
                  "18446744073709551616",
                  0},
        StatsCase{"String",
                  plain(TypeKind::kString),
                  {R"("b")", R"("")", R"("ab")", R"("bbbbbbbbb")"},
                  R"("")",
                  R"("bbbbbbbbb")",
                  0},
        StatsCase{"StringsAlikeAtTheStart",
                  plain(TypeKind::kString),
                  {R"("prefix-long-2")", R"("prefix-l")", R"("prefix-long-10")"},
                  R"("prefix-l")",
                  R"("prefix-long-2")",
                  0},
        StatsCase{"Binary", plain(TypeKind::kBinary), {R"("AQID")"}, "", "", 0},
        StatsCase{"Date",
                  plain(TypeKind::kDate),
                  {R"("2026-01-31")", R"("0001-01-01")"},
                  R"("0001-01-01")",
                  R"("2026-01-31")",
                  0},
        StatsCase{"Timestamp",
                  plain(TypeKind::kTimestamp),
                  {R"("1969-12-31T23:59:59.999999Z")", R"("2026-01-31T09:08:07.123001Z")"},
                  R"("1969-12-31T23:59:59.999Z")",
                  R"("2026-01-31T09:08:07.124Z")",
                  0},
        StatsCase{"TimestampBefore1970",
                  plain(TypeKind::kTimestamp),
                  {R"("1969-12-31T23:59:59.000001Z")"},
                  R"("1969-12-31T23:59:59.000Z")",
                  R"("1969-12-31T23:59:59.001Z")",
                  0},
        StatsCase{"TimestampNtz",
                  plain(TypeKind::kTimestampNtz),
                  {R"("2026-01-31T09:08:07")"},
                  R"("2026-01-31T09:08:07.000")",
                  R"("2026-01-31T09:08:07.000")",
                  0},
        StatsCase{"Array",
                  {.kind = TypeKind::kList, .fields = {field_of("element", TypeKind::kLong)}},
                  {"[1,2]", "[]", "null", "[null]"},
                  "",
                  "",
                  1},
        StatsCase{"OnlyNulls", plain(TypeKind::kLong), {"null"}, "", "", 1}),
    [](const auto& row) { return row.param.name; });

TEST(Stats, AreNestedAsTheColumnsAre) {
  const auto out =
      convert("{\"s\":{\"a\":1,\"t\":{\"b\":\"x\"}}}\n{\"s\":null}\n{\"s\":{\"a\":5}}\n");
  EXPECT_EQ(out.files.at(0).stats,
            R"({"numRecords":3,"minValues":{"s":{"a":1,"t":{"b":"x"}}},)"
            R"("maxValues":{"s":{"a":5,"t":{"b":"x"}}},"nullCount":{"s":{"a":1,"t":{"b":2}}}})");
}

TEST(Stats, CoverTheFirst32LeavesAndNoPartitionColumn) {
  std::string line = "{\"p\":\"x\",\"l\":[{\"a\":1,\"b\":2}]";
  for (int i = 0; i < 40; ++i) line += ",\"k" + std::to_string(i) + "\":1";
  ConvertOptions options;
  options.partition_by = {"p"};
  const std::string stats = convert(line + "}", options).files.at(0).stats;
  EXPECT_THAT(stats, HasSubstr("\"nullCount\":{\"l\":0,\"k0\":0"));
  EXPECT_THAT(stats, HasSubstr("\"k30\":0}}"));  // 31 of them: the list counts as one.
  EXPECT_THAT(stats, Not(HasSubstr("k31")));
  EXPECT_THAT(stats, Not(HasSubstr("\"p\"")));
}

TEST(Stats, CoverTheColumnsThatAreAskedFor) {
  std::string line = R"({"a":1,"s":{"x":2,"t":{"y":"z"},"l":[1]},"sx":3)";
  for (int i = 0; i < 40; ++i) line += ",\"k" + std::to_string(i) + "\":1";
  const auto stats_of = [&](StatsColumns wanted) {
    ConvertOptions options;
    options.stats = std::move(wanted);
    return convert(line + "}", options).files.at(0).stats;
  };
  EXPECT_EQ(stats_of({.first = 0, .named = {}}),
            R"({"numRecords":1,"minValues":{},"maxValues":{},"nullCount":{}})");
  EXPECT_EQ(stats_of({.first = 2, .named = {}}),
            R"({"numRecords":1,"minValues":{"a":1,"s":{"x":2}},"maxValues":{"a":1,"s":{"x":2}},)"
            R"("nullCount":{"a":0,"s":{"x":0}}})");
  EXPECT_THAT(stats_of({.first = 45, .named = {}}), HasSubstr("\"k39\":0}}"));
  EXPECT_EQ(
      stats_of({.named = {{"k39", "s.t", "none"}}}),
      R"({"numRecords":1,"minValues":{"s":{"t":{"y":"z"}},"k39":1},)"
      R"("maxValues":{"s":{"t":{"y":"z"}},"k39":1},"nullCount":{"s":{"t":{"y":0}},"k39":0}})");
  EXPECT_EQ(stats_of({.named = {{"s"}}}),
            R"({"numRecords":1,"minValues":{"s":{"x":2,"t":{"y":"z"}}},)"
            R"("maxValues":{"s":{"x":2,"t":{"y":"z"}}},)"
            R"("nullCount":{"s":{"x":0,"t":{"y":0},"l":0}}})");
}

TEST(Stats, CoverAllRowGroupsOfAFile) {
  std::string lines;
  for (int i = 0; i < 250'000; ++i) {
    lines += "{\"n\":" + std::to_string((i * 7919) % 250'000) + ",\"t\":\"" + std::to_string(i) +
             "\"}\n";
  }
  const auto out = convert(lines);
  ASSERT_EQ(out.files.size(), 1u);
  EXPECT_EQ(
      out.files[0].stats,
      R"({"numRecords":250000,"minValues":{"n":0,"t":"0"},"maxValues":{"n":249999,"t":"99999"},)"
      R"("nullCount":{"n":0,"t":0}})");
}

}  // namespace
}  // namespace headrace
