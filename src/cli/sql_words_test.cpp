#include "cli/sql_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/progress_bar.h"
#include "cli/sql_prompt.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const SqlWords kWords{.keywords = {"as", "from", "limit", "select", "self"},
                      .functions = {"lower", "list_sort"},
                      .tables = {"people", "Places", "select", "odd \"one\""}};
const std::vector<std::string> kColumns{"name", "birth date", "list"};

std::vector<std::string> choices(std::string_view before) {
  return complete_sql(before, kWords, kColumns).choices;
}

TEST(CompleteSql, OffersTablesWhereATableIsExpected) {
  EXPECT_THAT(choices("select 1 from p"), ElementsAre("Places", "people"));
  EXPECT_THAT(choices("describe sel"), ElementsAre("\"select\""));
  EXPECT_THAT(choices("from odd"), ElementsAre("\"odd \"\"one\"\"\""));
  EXPECT_THAT(choices("from \"pl"), ElementsAre("\"Places\""));
  EXPECT_THAT(choices(".schema pe"), ElementsAre("people"));
  EXPECT_THAT(choices("select 1 from people where p"), ElementsAre("Places", "people"));
}

TEST(CompleteSql, OffersColumnsAndWordsElsewhere) {
  EXPECT_THAT(choices("select lo"), ElementsAre("lower"));
  EXPECT_THAT(choices("SELECT LIM"), ElementsAre("LIMIT"));
  EXPECT_THAT(choices("select l"), ElementsAre("list"));
  EXPECT_THAT(choices("select bir"), ElementsAre("\"birth date\""));
  EXPECT_THAT(choices("select p.na"), ElementsAre("name"));
  EXPECT_THAT(choices("select \"na"), ElementsAre("\"name\""));
}

TEST(CompleteSql, OffersNothingInsideOfText) {
  EXPECT_THAT(choices("select 'na"), IsEmpty());
  EXPECT_THAT(choices("select zzz"), IsEmpty());
}

TEST(CompleteSql, SaysWhereTheWordBegins) {
  EXPECT_EQ(complete_sql("select na", kWords, kColumns).start, 7u);
  EXPECT_EQ(complete_sql("select \"na", kWords, kColumns).start, 7u);
}

TEST(NamesInFrom, AreTablesAndPlaces) {
  EXPECT_THAT(names_in_from("select * from a join 'lake://b/c' on x = 1, (select 1 from \"D e\")"),
              ElementsAre("a", "lake://b/c", "D e"));
  EXPECT_THAT(names_in_from("select 1 from"), IsEmpty());
}

TEST(EndsStatement, AtASemicolonOutsideOfTextAndComments) {
  EXPECT_TRUE(ends_statement("select 1;"));
  EXPECT_TRUE(ends_statement("select 1; -- done\n"));
  EXPECT_FALSE(ends_statement("select 1 -- done;\n"));
  EXPECT_FALSE(ends_statement("select ';"));
  EXPECT_FALSE(ends_statement("select 1; select 2"));
  EXPECT_FALSE(ends_statement(""));
}

TEST(CommonStart, IsWhatAllChoicesShare) {
  EXPECT_EQ(common_start({"limit", "list", "LIST_sort"}), "li");
  EXPECT_EQ(common_start({"a"}), "a");
  EXPECT_EQ(common_start({"a", "b"}), "");
  EXPECT_EQ(common_start({}), "");
}

TEST(InColumns, FillsTheWidthDownwards) {
  EXPECT_EQ(in_columns({"a", "bb", "c", "d", "e"}, 12), "a   c   e\nbb  d\n");
  EXPECT_EQ(in_columns({"a", "b"}, 3), "a\nb\n");
}

TEST(ProgressLine, ShowsWhatIsDone) {
  EXPECT_EQ(progress_line(0.5, std::chrono::seconds(7)),
            "[===============>              ]  50%  7 s");
  EXPECT_EQ(progress_line(1.0, std::chrono::seconds(7)),
            "[==============================] 100%  7 s");
  EXPECT_EQ(progress_line(std::nullopt, std::chrono::milliseconds(900)), "running  0 s");
}

}  // namespace
}  // namespace headrace
