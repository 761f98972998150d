#include "query/sql_effects.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

struct EffectCase {
  std::string_view sql;
  std::string_view effect;  // How the message starts; empty: nothing outside is changed.
};

class OutsideWriteTest : public testing::TestWithParam<EffectCase> {};

TEST_P(OutsideWriteTest, IsToldByTheWords) {
  const std::string effect = outside_write(GetParam().sql).value_or("");
  EXPECT_EQ(effect.substr(0, GetParam().effect.size()), GetParam().effect);
  EXPECT_EQ(effect.empty(), GetParam().effect.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Statements, OutsideWriteTest,
    testing::Values(
        EffectCase{"SELECT 1", ""}, EffectCase{"SELECT 'COPY a TO b'", ""},
        EffectCase{"copy people to 'x.csv'", "COPY"},
        EffectCase{"COPY (SELECT 1) TO 'x.csv' (FORMAT csv)", "COPY"},
        EffectCase{"COPY (SELECT (1) FROM a) TO 'x.csv'", "COPY"},
        EffectCase{"/* slowly */ COPY t (a, b) TO 'x'", "COPY"},
        EffectCase{"EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'", "COPY"},
        EffectCase{"EXPLAIN (FORMAT json) COPY (SELECT 1) TO 'x.csv'", "COPY"},
        EffectCase{"PREPARE p AS COPY (SELECT 1) TO 'x.csv'", "COPY"},
        EffectCase{"PREPARE p (INTEGER) AS EXPLAIN ANALYZE COPY t TO 'x'", "COPY"},
        EffectCase{"EXPLAIN ANALYSE COPY (SELECT 1) TO 'x.csv'", "COPY"},
        EffectCase{"EXPLAIN VERBOSE COPY (SELECT 1) TO 'x.csv'", "COPY"},
        EffectCase{"EXPLAIN ANALYZE VERBOSE COPY (SELECT 1) TO 'x.csv'", "COPY"},
        EffectCase{"EXPLAIN (ANALYSE) COPY (SELECT 1) TO 'x.csv'", "COPY"},
        EffectCase{"-- all\rCOPY (SELECT 1) TO\n'x.csv'", "COPY"},
        EffectCase{"COPY\xc2\xa0(SELECT 1)\xe2\x80\x83TO\xe3\x80\x80'x.csv'", "COPY"},
        EffectCase{"COPY a$b$ TO 'x.csv' --$b$", "COPY"}, EffectCase{"COPY t FROM 'x.csv'", ""},
        EffectCase{"COPY t (a) FROM 'x.csv'", ""}, EffectCase{"EXPORT DATABASE 'x'", "EXPORT"},
        EffectCase{"ATTACH 'x.db'", "ATTACH"}, EffectCase{"INSTALL httpfs", "INSTALL"},
        EffectCase{"FORCE INSTALL httpfs", "FORCE"}, EffectCase{"LOAD httpfs", "LOAD"},
        EffectCase{"UPDATE EXTENSIONS", "UPDATE EXTENSIONS"}, EffectCase{"UPDATE t SET a = 1", ""},
        EffectCase{"CREATE TABLE t AS SELECT 1", ""}, EffectCase{"EXPLAIN SELECT 1", ""},
        EffectCase{"", ""}, EffectCase{"EXPLAIN", ""}));

TEST(CopyTarget, IsTheTextBehindTo) {
  const std::string_view sql = "COPY (SELECT 'a' TO_B) TO 'lake://out/it''s.csv' (FORMAT csv)";
  const auto target = copy_target(sql);
  ASSERT_TRUE(target);
  EXPECT_EQ(target->name, "lake://out/it's.csv");
  EXPECT_EQ(sql.substr(target->offset, target->end - target->offset), "'lake://out/it''s.csv'");
  EXPECT_FALSE(copy_target("COPY t FROM 'x.csv'"));
  EXPECT_FALSE(copy_target("SELECT 'x' AS to"));
}

TEST(ReadsByCopy, IsToldByTheFirstFromOrToOfTheCopyItself) {
  EXPECT_TRUE(reads_by_copy("COPY t (a, b) FROM 'x.csv'"));
  EXPECT_TRUE(reads_by_copy("EXPLAIN copy t from 'x.csv'"));
  EXPECT_FALSE(reads_by_copy("COPY (SELECT 1 FROM t) TO 'x.csv'"));
  EXPECT_FALSE(reads_by_copy("SELECT 1 FROM t"));
}

TEST(ChangesTable, IsToldByTheFirstWord) {
  for (const std::string_view sql :
       {"insert into t values (1)", "UPDATE t SET a = 1", "DELETE FROM t",
        "ALTER TABLE t ADD COLUMN b INTEGER", "DROP TABLE t", "TRUNCATE t",
        "EXPLAIN ANALYZE DELETE FROM t"}) {
    EXPECT_TRUE(changes_table(sql)) << sql;
  }
  for (const std::string_view sql : {"SELECT 1", "CREATE TABLE t (a INTEGER)", "COPY t TO 'x'"}) {
    EXPECT_FALSE(changes_table(sql)) << sql;
  }
}

TEST(WithoutWrapping, IsWhatExplainAndPrepareHold) {
  EXPECT_EQ(without_wrapping("EXPLAIN SELECT 1"), "SELECT 1");
  EXPECT_EQ(without_wrapping("explain analyze\nSELECT 1"), "SELECT 1");
  EXPECT_EQ(without_wrapping("EXPLAIN (ANALYZE, FORMAT json) SELECT 1"), "SELECT 1");
  EXPECT_EQ(without_wrapping("EXPLAIN (SELECT 1)"), "(SELECT 1)");
  EXPECT_EQ(without_wrapping("SELECT 1"), "SELECT 1");
}

}  // namespace
}  // namespace headrace
