#include "query/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/text_width.h"

namespace headrace {
namespace {

using Rows = std::vector<std::vector<Cell>>;

std::string rendered(OutputFormat format, std::vector<Column> columns, const Rows& rows,
                     TableStyle style = {}) {
  std::string out;
  auto writer = make_row_writer(
      format, std::move(columns), [&](std::string_view text) { out += text; }, style);
  for (const auto& row : rows) writer->row(row);
  writer->finish();
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  for (std::size_t at; (at = text.find('\n', from)) != std::string::npos; from = at + 1) {
    lines.push_back(text.substr(from, at - from));
  }
  return lines;
}

const std::vector<Column> kPeople = {{"id", "BIGINT", Align::kRight}, {"name", "VARCHAR"}};

TEST(RenderTable, DrawsABoxWithTypesAndRightAlignedNumbers) {
  const Rows rows = {{Cell::number(7), Cell::of_text("Ada")}, {Cell::number(12), Cell::null()}};
  EXPECT_EQ(rendered(OutputFormat::kTable, kPeople, rows, {.footer = true}),
            "┌────────┬─────────┐\n"
            "│   id   │  name   │\n"
            "│ BIGINT │ VARCHAR │\n"
            "├────────┼─────────┤\n"
            "│      7 │ Ada     │\n"
            "│     12 │ NULL    │\n"
            "└────────┴─────────┘\n"
            "2 rows  2 columns\n");
}

TEST(RenderTable, PutsTheFooterIntoABoxThatIsWideEnough) {
  const Rows rows = {{Cell::of_text("a text that is as long as the footer")}};
  EXPECT_EQ(rendered(OutputFormat::kTable, {{"what"}}, rows, {.footer = true}),
            "┌──────────────────────────────────────┐\n"
            "│                 what                 │\n"
            "├──────────────────────────────────────┤\n"
            "│ a text that is as long as the footer │\n"
            "├──────────────────────────────────────┤\n"
            "│ 1 row                       1 column │\n"
            "└──────────────────────────────────────┘\n");
}

TEST(RenderTable, ShowsOnlyTheEndsOfManyRows) {
  Rows rows;
  for (int i = 0; i < 1000; ++i) rows.push_back({Cell::number(i)});
  const auto lines = lines_of(rendered(OutputFormat::kTable, {{"n", "", Align::kRight}}, rows,
                                       {.max_rows = 4, .footer = true}));
  const std::vector<std::string> expected = {
      "┌─────┐", "│  n  │", "├─────┤", "│   0 │", "│   1 │", "│  ·  │",
      "│  ·  │", "│  ·  │", "│ 998 │", "│ 999 │", "└─────┘", "1000 rows (4 shown)  1 column"};
  EXPECT_EQ(lines, expected);
}

TEST(RenderTable, ShowsAllRowsWhenTheyAreAsManyAsAllowed) {
  const Rows rows = {{Cell::number(1)}, {Cell::number(2)}, {Cell::number(3)}};
  EXPECT_EQ(lines_of(rendered(OutputFormat::kTable, {{"n"}}, rows, {.max_rows = 3})).size(), 7u);
}

TEST(RenderTable, GoesOnPastTheRowsThatSetTheWidths) {
  Rows rows;
  for (int i = 0; i < 1500; ++i)
    rows.push_back({Cell::of_text(i < 1000 ? "short" : "much longer")});
  const auto lines = lines_of(rendered(OutputFormat::kTable, {{"n"}}, rows));
  ASSERT_EQ(lines.size(), 1504u);
  EXPECT_EQ(lines[1502], "│ much… │");
}

TEST(RenderTable, CutsTheWidestColumnsToTheTerminal) {
  const Rows rows = {
      {Cell::number(1), Cell::of_text(std::string(100, 'x')), Cell::of_text(std::string(30, 'y'))}};
  const auto lines =
      lines_of(rendered(OutputFormat::kTable, {{"id"}, {"long"}, {"less"}}, rows, {.width = 60}));
  for (const auto& line : lines) EXPECT_LE(text_width(line), 60u) << line;
  EXPECT_THAT(lines[3], testing::HasSubstr("│ 1  │ xxx"));
  EXPECT_GE(text_width(lines[3]), 58u) << "room is left unused";
}

TEST(RenderTable, LeavesOutColumnsInTheMiddleWhenThereAreTooMany) {
  std::vector<Column> columns;
  std::vector<Cell> row;
  for (int i = 0; i < 50; ++i) {
    columns.push_back({"column" + std::to_string(i)});
    row.push_back(Cell::number(i));
  }
  const auto lines =
      lines_of(rendered(OutputFormat::kTable, columns, {row}, {.width = 40, .footer = true}));
  EXPECT_EQ(lines[3], "│ 0     │ 1     │ … │ 48    │ 49    │");
  EXPECT_EQ(lines[5], "│ 1 row        50 columns (4 shown) │");
}

TEST(RenderTable, CountsTheColumnsOfTheTerminalNotBytes) {
  const Rows rows = {{Cell::of_text("日本語")},
                     {Cell::of_text("é")},
                     {Cell::of_text("e\u0301")},
                     {Cell::of_text("😀")}};
  const auto lines = lines_of(rendered(OutputFormat::kTable, {{"t"}}, rows));
  for (const auto& line : lines) EXPECT_EQ(text_width(line), 10u) << line;
}

TEST(RenderTable, LetsNoCellSteerTheTerminal) {
  const Rows rows = {{Cell::of_text("a\x1b[2Jb\nc\td\x7f"), Cell::of_text("\xff\xc2\x9b")}};
  const std::string text = rendered(OutputFormat::kTable, {{"a"}, {"b"}}, rows);
  EXPECT_THAT(text, testing::HasSubstr("│ a\\x1B[2Jb\\nc\\td\\x7F │ \uFFFD\\x9B │"));
}

TEST(RenderTable, DrawsItsHeadWhenThereAreNoRows) {
  EXPECT_EQ(rendered(OutputFormat::kTable, {{"a"}}, {}), "┌───┐\n│ a │\n├───┤\n└───┘\n");
}

TEST(RenderJson, WritesOneArrayOrOneObjectPerLine) {
  const Rows rows = {{Cell::number(1), Cell::of_text("a\"b\n")},
                     {Cell::literal("12345678901234567890123456789012345678"), Cell::null()}};
  EXPECT_EQ(rendered(OutputFormat::kJson, kPeople, rows),
            "[{\"id\":1,\"name\":\"a\\\"b\\n\"},\n"
            "{\"id\":12345678901234567890123456789012345678,\"name\":null}]\n");
  EXPECT_EQ(rendered(OutputFormat::kNdjson, kPeople, rows),
            "{\"id\":1,\"name\":\"a\\\"b\\n\"}\n"
            "{\"id\":12345678901234567890123456789012345678,\"name\":null}\n");
}

TEST(RenderJson, IsValidWithoutRows) {
  EXPECT_EQ(rendered(OutputFormat::kJson, kPeople, {}), "[]\n");
  EXPECT_EQ(rendered(OutputFormat::kNdjson, kPeople, {}), "");
}

TEST(RenderJson, GivesEqualColumnNamesANumber) {
  EXPECT_EQ(rendered(OutputFormat::kNdjson, {{"a"}, {"a"}, {"a_1"}, {"a"}},
                     {{Cell::number(1), Cell::number(2), Cell::number(3), Cell::number(4)}}),
            "{\"a\":1,\"a_2\":2,\"a_1\":3,\"a_3\":4}\n");
}

TEST(RenderCsv, QuotesWhatRfc4180Says) {
  const Rows rows = {{Cell::of_text("a,b"), Cell::of_text("say \"hi\"")},
                     {Cell::of_text("two\r\nlines"), Cell::literal("{\"a\":1}")},
                     {Cell::of_text(" plain "), Cell::number(-5)}};
  EXPECT_EQ(rendered(OutputFormat::kCsv, {{"x"}, {"y"}}, rows),
            "x,y\n"
            "\"a,b\",\"say \"\"hi\"\"\"\n"
            "\"two\r\nlines\",\"{\"\"a\"\":1}\"\n"
            " plain ,-5\n");
}

TEST(RenderCsv, TellsNullFromEmptyText) {
  EXPECT_EQ(rendered(OutputFormat::kCsv, {{"x"}, {"y"}},
                     {{Cell::null(), Cell::of_text("")}, {Cell::of_text(""), Cell::null()}}),
            "x,y\n,\"\"\n\"\",\n");
}

TEST(OutputFormats, AreReadBackFromTheirNames) {
  for (const auto format :
       {OutputFormat::kTable, OutputFormat::kJson, OutputFormat::kNdjson, OutputFormat::kCsv}) {
    EXPECT_EQ(parse_output_format(to_string(format)), format);
  }
  EXPECT_EQ(parse_output_format("xml"), std::nullopt);
}

TEST(TextWidth, CutsBetweenCharacters) {
  EXPECT_EQ(cut_to_width("headrace", 8), "headrace");
  EXPECT_EQ(cut_to_width("headrace", 5), "head…");
  EXPECT_EQ(cut_to_width("日本語", 5), "日本…");
  EXPECT_EQ(cut_to_width("日本語", 4), "日…");
  EXPECT_EQ(cut_to_width("ab", 0), "");
}

}  // namespace
}  // namespace headrace
