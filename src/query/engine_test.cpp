#include "query/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace headrace {
namespace {

using testing::HasSubstr;

/// What the engine's CAST(... AS VARCHAR) says must be what we read from its vectors.
class CellText : public testing::TestWithParam<const char*> {
 public:
  static void SetUpTestSuite() { engine = std::make_unique<Engine>(QueryOptions{}); }
  static void TearDownTestSuite() { engine.reset(); }

 protected:
  static inline std::unique_ptr<Engine> engine;
};

TEST_P(CellText, IsWhatTheEngineCastsItTo) {
  const std::string value = GetParam();
  const auto rows = engine->rows("SELECT v, v::VARCHAR FROM (SELECT " + value + " AS v)");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0][0].text, rows[0][1].text);
}

INSTANTIATE_TEST_SUITE_P(
    Scalars, CellText,
    testing::Values("true", "(-128)::TINYINT", "255::UTINYINT", "(-32768)::SMALLINT",
                    "65535::USMALLINT", "(-2147483648)::INTEGER", "4294967295::UINTEGER",
                    "(-9223372036854775808)::BIGINT", "18446744073709551615::UBIGINT",
                    "(-170141183460469231731687303715884105728)::HUGEINT",
                    "340282366920938463463374607431768211455::UHUGEINT", "0::HUGEINT",
                    "1.0::DOUBLE", "1e20::DOUBLE", "1e15::DOUBLE", "1e16::DOUBLE", "1e-7::DOUBLE",
                    "0.1::FLOAT", "-0.0::DOUBLE", "5e-324::DOUBLE", "'nan'::FLOAT",
                    "'-inf'::DOUBLE", "(-1.50)::DECIMAL(4,2)", "0.05::DECIMAL(9,2)",
                    "(-0.05)::DECIMAL(18,10)",
                    "99999999999999999999999999999999999.999::DECIMAL(38,3)", "7::DECIMAL(5,0)"));

INSTANTIATE_TEST_SUITE_P(Texts, CellText,
                         testing::Values("'a''b'", "''", "'a\\x00\\x27\\x22\\x5c\\xff z~'::BLOB",
                                         "''::BLOB", "'101'::BIT", "'10101010101'::BIT",
                                         "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID",
                                         "'7fffffff-ffff-ffff-ffff-ffffffffffff'::UUID",
                                         "'b'::ENUM('a', 'b')"));

INSTANTIATE_TEST_SUITE_P(
    Times, CellText,
    testing::Values(
        "DATE '2024-02-29'", "DATE '1969-12-31'", "DATE '0044-03-15 (BC)'", "DATE '0000-12-31'",
        "DATE '12345-01-01'", "'infinity'::DATE", "'-infinity'::TIMESTAMP", "TIME '01:02:03.5'",
        "TIME '23:59:59.999999'", "TIMETZ '01:02:03+05:30'", "TIMETZ '01:02:03-08'",
        "'01:02:03.123456789'::TIME_NS", "TIMESTAMP '2024-01-02 03:04:05.678'",
        "TIMESTAMP '1969-12-31 23:59:59.000001'", "TIMESTAMP '0044-03-15 (BC) 01:00:00'",
        "'2024-01-02 03:04:05.678901234'::TIMESTAMP_NS", "'2024-01-02 03:04:05'::TIMESTAMP_S",
        "'1969-01-02 03:04:05.006'::TIMESTAMP_MS", "TIMESTAMPTZ '2024-01-02 03:04:05.1+02'",
        "'infinity'::TIMESTAMPTZ", "INTERVAL '1 year 2 months 3 days 4 hours 5.006 seconds'",
        "INTERVAL '-14 months -1 day -3 seconds'", "INTERVAL '0 seconds'", "INTERVAL '36 hours'",
        "INTERVAL '1 day'", "12345678901234567890123::BIGNUM", "1.5::VARIANT"));

struct JsonCase {
  const char* value;
  const char* json;
};

class CellJson : public testing::TestWithParam<JsonCase> {};

TEST_P(CellJson, IsExact) {
  Engine engine(QueryOptions{});
  const auto rows = engine.rows(std::string("SELECT ") + GetParam().value);
  EXPECT_EQ(rows[0][0], Cell::literal(GetParam().json));
}

INSTANTIATE_TEST_SUITE_P(
    Nested, CellJson,
    testing::Values(
        JsonCase{"[1, NULL, 3]", "[1,null,3]"}, JsonCase{"[]::INTEGER[]", "[]"},
        JsonCase{"[[1], [], NULL, [2, 3]]", "[[1],[],null,[2,3]]"},
        JsonCase{"{'a': 1, 'b': {'c': DATE '2024-01-01', 'd': 'x\"y'}}",
                 "{\"a\":1,\"b\":{\"c\":\"2024-01-01\",\"d\":\"x\\\"y\"}}"},
        JsonCase{"{'a': NULL::INTEGER}", "{\"a\":null}"},
        JsonCase{"[{'a': 1.50}, {'a': NULL}, NULL]", "[{\"a\":1.50},{\"a\":null},null]"},
        JsonCase{"MAP{1: 'a', 2: NULL}", "{\"1\":\"a\",\"2\":null}"},
        JsonCase{"MAP{'k': [MAP{'z': 1}]}", "{\"k\":[{\"z\":1}]}"},
        JsonCase{"array_value(1, 2, 3)", "[1,2,3]"}, JsonCase{"union_value(k := 1)", "1"},
        JsonCase{"union_value(k := 'v')", "\"v\""},
        JsonCase{"json '{\"a b\" : [1, \"x \\\" y\"]}'", "{\"a b\":[1,\"x \\\" y\"]}"},
        JsonCase{"['nan'::DOUBLE, 1.0]", "[\"nan\",1.0]"},
        JsonCase{"[TIMESTAMPTZ '2024-01-01 00:00:00+00']", "[\"2024-01-01 00:00:00+00\"]"},
        JsonCase{"[170141183460469231731687303715884105727::HUGEINT]",
                 "[170141183460469231731687303715884105727]"}));

TEST(EngineRowsTest, NamesTypesAndAlignsColumns) {
  Engine engine(QueryOptions{});
  const auto rows =
      engine.stream("SELECT 1 AS n, 'x' AS t, {'a': [1.5]} AS s, MAP{'k': DATE '2024-01-01'} AS m");
  const auto& columns = rows->columns();
  ASSERT_EQ(columns.size(), 4u);
  EXPECT_EQ(columns[0].name, "n");
  EXPECT_EQ(columns[0].type, "INTEGER");
  EXPECT_EQ(columns[0].align, Align::kRight);
  EXPECT_EQ(columns[1].align, Align::kLeft);
  EXPECT_EQ(columns[2].type, "STRUCT(a DECIMAL(2,1)[])");
  EXPECT_EQ(columns[3].type, "MAP(VARCHAR, DATE)");
}

TEST(EngineRowsTest, StreamsManyChunksInOrder) {
  Engine engine(QueryOptions{});
  const auto rows = engine.stream("SELECT range AS n, [range] AS l FROM range(10000)");
  std::int64_t expected = 0;
  while (const auto batch = rows->next()) {
    EXPECT_LE(batch->rows, 2048u);
    for (std::size_t i = 0; i < batch->rows; ++i, ++expected) {
      ASSERT_EQ(batch->cells[2 * i].text, std::to_string(expected));
      ASSERT_EQ(batch->cells[2 * i + 1].text, "[" + std::to_string(expected) + "]");
    }
  }
  EXPECT_EQ(expected, 10000);
}

TEST(EngineRowsTest, KeepsNamesOfColumnsItHasToCast) {
  Engine engine(QueryOptions{});
  const auto rows = engine.stream("SELECT 1 AS \"a b\", 2::VARIANT AS \"c\"\"d\" -- the end");
  EXPECT_EQ(rows->columns()[0].name, "a b");
  EXPECT_EQ(rows->columns()[1].name, "c\"d");
}

ErrorKind kind_of(Engine& engine, const std::string& sql) {
  try {
    engine.rows(sql);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kBug;
}

TEST(EngineErrors, KeepTheMessageWithItsCaret) {
  Engine engine(QueryOptions{});
  try {
    engine.rows("SELECT nothing FROM range(3)");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr("LINE 1: SELECT nothing FROM range(3)\n               ^"));
  }
}

TEST(EngineErrors, SayWhatToDoNext) {
  Engine engine(QueryOptions{.memory_bytes = 20u << 20});
  EXPECT_EQ(kind_of(engine, "SELEC 1"), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(engine, "SELECT 'x'::INTEGER"), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(engine, "SELECT list(range) FROM range(100000000)"), ErrorKind::kTransient);
}

TEST(EngineErrors, ComeOutInTheMiddleOfAStream) {
  Engine engine(QueryOptions{});
  const auto rows = engine.stream(
      "SELECT CASE WHEN range < 5000000 THEN 1 ELSE 'x'::INTEGER END FROM range(5000001)");
  EXPECT_THROW(while (rows->next()){}, Error);
}

TEST(EngineLockdown, FetchesAndKeepsNothing) {
  Engine engine(QueryOptions{});
  const auto rows = engine.rows(
      "SELECT name, value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', "
      "'autoload_known_extensions', 'allow_persistent_secrets', 'allow_community_extensions')");
  ASSERT_EQ(rows.size(), 4u);
  for (const auto& row : rows) EXPECT_EQ(row[1].text, "false") << row[0].text;
}

TEST(EngineLockdown, RefusesByItsKindWhatTheWordsDoNotShow) {
  Engine engine({});
  for (const char* sql : {"; ATTACH ':memory:' AS d", "; COPY (SELECT 1) TO 'never.csv'"}) {
    try {
      engine.stream(sql);
      ADD_FAILURE() << sql;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("SQL only reads here")) << sql;
    }
  }
}

TEST(EngineLockdown, BoundsMemoryThreadsAndSpilling) {
  Engine engine(QueryOptions{.memory_bytes = 64u << 20, .threads = 3});
  EXPECT_EQ(engine.rows("SELECT current_setting('memory_limit')")[0][0].text, "64.0 MiB");
  EXPECT_EQ(engine.rows("SELECT current_setting('threads')")[0][0].text, "3");
  EXPECT_EQ(engine.rows("SELECT current_setting('temp_directory')")[0][0].text, "");
}

TEST(EngineStopping, EndsARunningStatement) {
  Engine engine(QueryOptions{});
  const auto rows = engine.stream("SELECT range FROM range(1000000000000)");
  ASSERT_TRUE(rows->next());
  std::thread other([&] { engine.interrupt(); });
  ErrorKind kind = ErrorKind::kBug;
  try {
    while (rows->next()) {
    }
  } catch (const Error& error) {
    kind = error.kind();
  }
  other.join();
  EXPECT_EQ(kind, ErrorKind::kCancelled);
}

TEST(EngineStopping, HoldsUntilAllowedAgain) {
  Engine engine(QueryOptions{});
  engine.interrupt();
  EXPECT_THROW(engine.stream("SELECT 1"), Error);
  engine.allow();
  EXPECT_EQ(engine.rows("SELECT 1")[0][0], Cell::number(1));
}

TEST(EngineLists, ReachSqlWithoutBeingParsed) {
  Engine engine(QueryOptions{});
  engine.set_list("files", {"a'b", "", "\xE2\x82\xAC"});
  EXPECT_EQ(engine.rows("SELECT getvariable('files')")[0][0],
            Cell::literal("[\"a'b\",\"\",\"\xE2\x82\xAC\"]"));
  engine.set_list("files", {});
  EXPECT_EQ(engine.rows("SELECT len(getvariable('files'))")[0][0], Cell::number(0));
}

}  // namespace
}  // namespace headrace
