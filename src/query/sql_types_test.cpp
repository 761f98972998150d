#include "query/sql_types.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

struct MergeCase {
  std::string_view a;
  std::string_view b;
  std::string_view both;
  Mixing mixing = Mixing::kJson;
};

class MergeTypesTest : public testing::TestWithParam<MergeCase> {};

TEST_P(MergeTypesTest, GiveOneThatHoldsBoth) {
  const MergeCase& row = GetParam();
  EXPECT_EQ(merge_types(row.a, row.b, row.mixing), row.both);
}

INSTANTIATE_TEST_SUITE_P(
    Types, MergeTypesTest,
    testing::Values(
        MergeCase{"BIGINT", "BIGINT", "BIGINT"}, MergeCase{"INTEGER", "BIGINT", "BIGINT"},
        MergeCase{"BIGINT", "DOUBLE", "DOUBLE"}, MergeCase{"BIGINT", "UBIGINT", "HUGEINT"},
        MergeCase{"HUGEINT", "UBIGINT", "HUGEINT"}, MergeCase{"INTEGER", "FLOAT", "DOUBLE"},
        MergeCase{"DECIMAL(2,1)", "DECIMAL(10,4)", "DECIMAL(10,4)"},
        MergeCase{"DECIMAL(5,1)", "DECIMAL(4,3)", "DECIMAL(7,3)"},
        MergeCase{"DECIMAL(5,2)", "INTEGER", "DECIMAL(12,2)"},
        MergeCase{"DECIMAL(38,0)", "DECIMAL(38,37)", "DOUBLE"},
        MergeCase{"DECIMAL(5,2)", "DOUBLE", "DOUBLE"},
        MergeCase{"DECIMAL(5,2)", "VARCHAR", "VARCHAR"},
        MergeCase{"DATE", "TIMESTAMP", "TIMESTAMP"}, MergeCase{"BIGINT", "VARCHAR", "VARCHAR"},
        MergeCase{"BOOLEAN", "BIGINT", "VARCHAR"}, MergeCase{"UUID", "VARCHAR", "VARCHAR"},
        MergeCase{"DATE", "BIGINT", "VARCHAR"}, MergeCase{"JSON", "BIGINT", "JSON"},
        MergeCase{"BIGINT", "STRUCT(a BIGINT)", "JSON"},
        MergeCase{"BIGINT", "STRUCT(a BIGINT)", "VARCHAR", Mixing::kText},
        MergeCase{"BIGINT[]", "BIGINT", "JSON"}, MergeCase{"BIGINT[]", "DOUBLE[]", "DOUBLE[]"},
        MergeCase{"BIGINT[]", "STRUCT(a BIGINT)[]", "JSON[]"},
        MergeCase{"INTEGER[3]", "INTEGER[]", "INTEGER[]"},
        MergeCase{"MAP(VARCHAR, BIGINT)", "MAP(VARCHAR, DOUBLE)", "MAP(VARCHAR, DOUBLE)"},
        MergeCase{"MAP(VARCHAR, BIGINT)", "STRUCT(a BIGINT)", "JSON"},
        MergeCase{"STRUCT(a BIGINT)", "STRUCT(b VARCHAR, A DOUBLE)",
                  R"(STRUCT("a" DOUBLE, "b" VARCHAR))"},
        MergeCase{R"(STRUCT("a b" STRUCT(c DATE)[], "q""q" DECIMAL(10,2)))",
                  R"(STRUCT("a b" STRUCT(c TIMESTAMP, d BOOLEAN)[]))",
                  R"(STRUCT("a b" STRUCT("c" TIMESTAMP, "d" BOOLEAN)[], "q""q" DECIMAL(10,2)))"},
        MergeCase{"STRUCT(a TIMESTAMP WITH TIME ZONE)", "STRUCT(a TIMESTAMP)",
                  R"(STRUCT("a" TIMESTAMP WITH TIME ZONE))"},
        MergeCase{"ENUM('a, b', 'c)')", "VARCHAR", "VARCHAR"},
        MergeCase{"STRUCT(a", "BIGINT", "VARCHAR"}));

}  // namespace
}  // namespace headrace
