#include "stack/diagnostics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::stack {
namespace {

using testing::HasSubstr;

TEST(Diagnostics, PrintsInTheOrderOfTheFile) {
  Diagnostics found("dir/h.yaml", "one\ntwo\r\nthree");
  found.error({3, 2}, "third");
  found.warning({1, 1}, "first");
  found.error({}, "whole file");
  found.error({3, 2}, "third again");
  EXPECT_FALSE(found.ok());
  EXPECT_EQ(found.errors(), 3);
  EXPECT_EQ(found.text(),
            "dir/h.yaml: error: whole file\n"
            "dir/h.yaml:1:1: warning: first\n"
            "one\n"
            "^\n"
            "dir/h.yaml:3:2: error: third\n"
            "three\n"
            " ^\n"
            "dir/h.yaml:3:2: error: third again\n"
            "three\n"
            " ^\n");
}

TEST(Diagnostics, AWarningAloneIsFine) {
  Diagnostics found("h.yaml", "x");
  found.warning({1, 1}, "hm");
  EXPECT_TRUE(found.ok());
}

TEST(Diagnostics, GivesLinesWithoutTheirEnds) {
  const Diagnostics found("h.yaml", "one\ntwo\r\n");
  EXPECT_EQ(found.line(0), "");
  EXPECT_EQ(found.line(1), "one");
  EXPECT_EQ(found.line(2), "two");
  EXPECT_EQ(found.line(3), "");
  EXPECT_EQ(found.line(4), "");
}

struct CaretCase {
  const char* name;
  std::string_view line;
  std::uint32_t column;
  std::string_view below;
};

class CaretTest : public testing::TestWithParam<CaretCase> {};

TEST_P(CaretTest, StandsUnderItsCharacter) {
  const CaretCase& row = GetParam();
  Diagnostics found("h", std::string(row.line));
  found.error({1, row.column}, "x");
  EXPECT_EQ(found.text(),
            fmt::format("h:1:{}: error: x\n{}\n{}\n", row.column, row.line, row.below));
}

INSTANTIATE_TEST_SUITE_P(Lines, CaretTest,
                         testing::Values(CaretCase{"Plain", "ab: c", 5, "    ^"},
                                         CaretCase{"AfterTheEnd", "ab", 9, "  ^"},
                                         CaretCase{"TabsStayTabs", "\ta:\tb", 5, "\t  \t^"},
                                         CaretCase{"TwoBytes", "äö: x", 5, "    ^"},
                                         CaretCase{"TwoPlaces", "日本: x", 5, "      ^"},
                                         CaretCase{"Emoji", "🦆: x", 4, "    ^"},
                                         CaretCase{"Combining", "e\xCC\x81: x", 5, "   ^"},
                                         CaretCase{"NoUtf8", "\xFF\xFE: x", 5, "    ^"}),
                         [](const auto& row) { return row.param.name; });

TEST(Diagnostics, ShowsAStretchOfALongLine) {
  std::string line;
  for (int i = 0; i < 100; ++i) line += fmt::format("{:05},", i);
  Diagnostics found("h", line);
  found.error({1, 301}, "here");
  EXPECT_EQ(found.text(),
            "h:1:301: error: here\n"
            "...00040,00041,00042,00043,00044,00045,00046,00047,00048,00049,00050,00051,00052,"
            "00053,00054,00055,00056,00057,00058,00059,00060,00061,00062,00063,00064,00065,0006"
            "...\n"
            "                                                               ^\n");
}

TEST(Diagnostics, KeepsAHundred) {
  Diagnostics found("h", "x");
  for (int i = 0; i < 107; ++i) found.error({}, "again");
  EXPECT_EQ(found.list().size(), Diagnostics::kMost);
  EXPECT_EQ(found.errors(), 107);
  EXPECT_THAT(found.text(), HasSubstr("h: and 7 more\n"));
}

TEST(Diagnostics, BlotsOutSecretsWhereverTheyStand) {
  Diagnostics found("h", "a: hush # hush\nb: h\\u0075sh\nc: |\n  first\n  last\n");
  found.hide({1, 4}, "hush");
  found.hide({2, 4}, "hush2");
  found.hide({3, 4}, "first\nlast\n");
  for (std::uint32_t line = 1; line <= 5; ++line) found.error({line, 1}, "x");
  EXPECT_EQ(found.text(),
            "h:1:1: error: x\na: **** # ****\n^\n"
            "h:2:1: error: x\nb: *********\n^\n"
            "h:3:1: error: x\nc: *\n^\n"
            "h:4:1: error: x\n  *****\n^\n"
            "h:5:1: error: x\n  ****\n^\n");
}

TEST(DidYouMean, FindsTheNearestWord) {
  const std::vector<std::string> known = {"steps", "retry", "rate", "limits", "a"};
  EXPECT_EQ(did_you_mean("step", known), "; did you mean `steps`?");
  EXPECT_EQ(did_you_mean("stpes", known), "; did you mean `steps`?");
  EXPECT_EQ(did_you_mean("Retry", known), "; did you mean `retry`?");
  EXPECT_EQ(did_you_mean("limit", known), "; did you mean `limits`?");
  EXPECT_EQ(did_you_mean("rat", known), "; did you mean `rate`?");
  EXPECT_EQ(did_you_mean("zebra", known), "");
  EXPECT_EQ(did_you_mean("b", known), "");
  EXPECT_EQ(did_you_mean("", known), "");
  EXPECT_EQ(did_you_mean(std::string(1000, 's'), known), "");
}

}  // namespace
}  // namespace headrace::stack
