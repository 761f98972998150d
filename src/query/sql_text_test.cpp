#include "query/sql_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/query.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SplitStatements, CutsAtSemicolonsOutsideOfQuotesAndComments) {
  EXPECT_THAT(
      split_statements("select 1; select ';', \";\" -- ;\n; /* ; /* ; */ ; */ select $$;$$;;"),
      ElementsAre("select 1", "select ';', \";\" -- ;\n", "select $$;$$"));
  EXPECT_THAT(split_statements("select 'it''s; fine', e'a\\';b', $x$;$y$;$x$; select $1"),
              ElementsAre("select 'it''s; fine', e'a\\';b', $x$;$y$;$x$", "select $1"));
}

TEST(SplitStatements, ReadsWordsAndCommentsAsTheEngineDoes) {
  // A comment ends at a carriage return, a name may hold $, a number ends before a quote.
  EXPECT_THAT(split_statements("select 1 -- a; b\r; select 2"),
              ElementsAre("select 1 -- a; b\r", "select 2"));
  EXPECT_THAT(split_statements("select a$b$; select c$b$"),
              ElementsAre("select a$b$", "select c$b$"));
  EXPECT_THAT(split_statements("select 1e'\\'; '; select 2"),
              ElementsAre("select 1e'\\'; '", "select 2"));
  EXPECT_THAT(split_statements("\xc2\xa0; select\xe2\x80\x83 1;\xef\xbb\xbf"),
              ElementsAre("select\xe2\x80\x83 1"));
}

TEST(SplitStatements, LeavesOutEmptyOnes) {
  EXPECT_THAT(split_statements(" ; -- nothing\n ;"), IsEmpty());
  EXPECT_THAT(split_statements(""), IsEmpty());
}

TEST(SplitStatements, LeavesWhatIsOpenAtTheEndToTheParser) {
  for (const char* sql : {"select 'a;b", "select \"a;b", "select /* ; ", "select $$ ; $"}) {
    EXPECT_EQ(split_statements(sql).size(), 1u) << sql;
  }
}

struct TravelCase {
  const char* sql;
  const char* rewritten;
  const char* name;
  bool timestamp;
  const char* expression;
};

class TimeTravelText : public testing::TestWithParam<TravelCase> {};

TEST_P(TimeTravelText, BecomesOneQuotedName) {
  const TravelCase& row = GetParam();
  const auto out = take_out_time_travel(row.sql);
  EXPECT_EQ(out.sql, row.rewritten);
  ASSERT_EQ(out.travels.size(), 1u);
  EXPECT_EQ(out.travels[0].name, row.name);
  EXPECT_EQ(out.travels[0].timestamp, row.timestamp);
  EXPECT_EQ(out.travels[0].expression, row.expression);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, TimeTravelText,
    testing::Values(
        TravelCase{"from people at (version => 3)",
                   "from \"people at (version => 3)\" AS \"people\"", "people", false, "3"},
        TravelCase{"select p.id from people AT (VERSION => 3) p where id = 1",
                   "select p.id from \"people AT (VERSION => 3)\" p where id = 1", "people", false,
                   "3"},
        TravelCase{"select 1 from people p AT (VERSION => 3) where id = 1",
                   "select 1 from \"people AT (VERSION => 3)\" p  where id = 1", "people", false,
                   "3"},
        TravelCase{"from people AS p AT (VERSION => 3)", "from \"people AT (VERSION => 3)\" AS p ",
                   "people", false, "3"},
        TravelCase{"from a, 'file:///x/y' AT (TIMESTAMP => now() - interval '1 day') WHERE x",
                   "from a, \"file:///x/y AT (TIMESTAMP => now() - interval '1 day')\" AS "
                   "\"file:///x/y\" WHERE x",
                   "file:///x/y", true, "now() - interval '1 day'"},
        TravelCase{"from a join \"my \"\"t\" AT (VERSION => 1) using (id)",
                   "from a join \"my \"\"t AT (VERSION => 1)\" AS \"my \"\"t\" using (id)",
                   "my \"t", false, "1"}));

TEST(TimeTravelText, IsNotSeenInOtherUsesOfTheWordAt) {
  for (const char* sql : {"select at from at", "select ts at time zone 'UTC' from t",
                          "select at (version) from t", "select 'people at (version => 3)'",
                          "select 1 -- people at (version => 3)", "from people at (version => 3"}) {
    const auto out = take_out_time_travel(sql);
    EXPECT_EQ(out.sql, sql);
    EXPECT_THAT(out.travels, IsEmpty()) << sql;
  }
}

TEST(TimeTravelText, MayComeTwice) {
  const auto out =
      take_out_time_travel("from t at (version => 1) join t at (version => 2) n using (id)");
  EXPECT_EQ(out.sql,
            "from \"t at (version => 1)\" AS \"t\" join \"t at (version => 2)\" n using (id)");
  EXPECT_EQ(out.travels.size(), 2u);
}

}  // namespace
}  // namespace headrace
