#include "query/query.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "query/test_lake.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

/// A table of people by country: DE has Ada and Bob, FR has Chloé, nowhere has Dora.
class QueryPeople : public testing::Test {
 protected:
  QueryPeople() {
    lake.write_parquet("b/people/de.parquet",
                       "SELECT 1::BIGINT AS id, 'Ada' AS name UNION ALL SELECT 2, 'Bob'");
    lake.write_parquet("b/people/fr.parquet", "SELECT 3::BIGINT AS id, 'Chloé' AS name");
    lake.write_parquet("b/people/none.parquet", "SELECT 4::BIGINT AS id, 'Dora' AS name");
    lake.commit("b/people", 0,
                delta_metadata({delta_field("country", "string"), delta_field("id", "long"),
                                delta_field("name", "string")},
                               {"country"}) +
                    delta_add("de.parquet", R"({"country":"DE"})", stats(1, 2, 2)) +
                    delta_add("fr.parquet", R"({"country":"FR"})", stats(3, 3, 1)));
    lake.commit("b/people", 1, delta_add("none.parquet", R"({"country":null})", stats(4, 4, 1)));
    lake.name("people", {"b", "people"}, DataFormat::kDelta);
  }

  static std::string stats(int least, int most, int rows) {
    return fmt::format(R"({{"numRecords":{2},"minValues":{{"id":{0}}},"maxValues":{{"id":{1}}},)"
                       R"("nullCount":{{"id":0,"name":0}}}})",
                       least, most, rows);
  }

  TestLake lake;
};

TEST_F(QueryPeople, AreATableByName) {
  EXPECT_THAT(lake.lines("SELECT * FROM people ORDER BY id"),
              ElementsAre("DE|1|Ada", "DE|2|Bob", "FR|3|Chloé", "NULL|4|Dora"));
  EXPECT_EQ(lake.report().name, "people");
  EXPECT_EQ(lake.report().version, 1);
  EXPECT_EQ(lake.report().files_total, 3u);
  EXPECT_EQ(lake.report().files_read, 3u);
}

TEST_F(QueryPeople, HaveTheTypesOfTheirSchema) {
  EXPECT_THAT(lake.lines("SELECT column_name, column_type FROM (DESCRIBE people)"),
              ElementsAre("country|VARCHAR", "id|BIGINT", "name|VARCHAR"));
}

TEST_F(QueryPeople, AreFoundByUrlAndByPath) {
  lake.query({.working_folder = lake.root() / "b"});
  const std::string url = "file://" + (lake.root() / "b/people").string();
  for (const std::string& from :
       {std::string("lake://b/people"), std::string("lake://b/people/"), url, url + "/",
        std::string("./people"), std::string("people/"), std::string("../b/people"),
        (lake.root() / "b/people").string()}) {
    EXPECT_THAT(lake.lines("SELECT count(*) FROM '" + from + "'"), ElementsAre("4")) << from;
    EXPECT_EQ(lake.report().version, 1) << from;
  }
}

TEST_F(QueryPeople, WithoutAStackAreFoundAsAFolder) {
  lake.query({.working_folder = lake.root() / "b"});
  lake.name("people", {"b", "nowhere"}, DataFormat::kDelta);
  TestLake other;
  other.query({.working_folder = lake.root() / "b"});
  EXPECT_THAT(other.lines("SELECT count(*) FROM people"), ElementsAre("4"));
  EXPECT_THAT(other.lines("SELECT p.name FROM 'people' p WHERE id = 3"), ElementsAre("Chloé"));
}

TEST_F(QueryPeople, AreFoundWhateverTheCaseOfTheName) {
  EXPECT_THAT(lake.lines("SELECT count(*) FROM People JOIN PEOPLE q USING (id)"), ElementsAre("4"));
}

TEST_F(QueryPeople, OpenOnlyTheFilesOfAPartition) {
  std::filesystem::remove(lake.root() / "b/people/fr.parquet");
  std::filesystem::remove(lake.root() / "b/people/none.parquet");
  EXPECT_THAT(lake.lines("SELECT name FROM people WHERE country = 'DE' ORDER BY id"),
              ElementsAre("Ada", "Bob"));
  EXPECT_EQ(lake.report().files_read, 1u);
  EXPECT_EQ(lake.report().files_total, 3u);
  EXPECT_EQ(lake.report().bytes_read, 1000u);
}

TEST_F(QueryPeople, OpenOnlyTheFilesWhoseStatisticsAllowIt) {
  std::filesystem::remove(lake.root() / "b/people/de.parquet");
  EXPECT_THAT(lake.lines("SELECT name FROM people p WHERE p.id >= 3 ORDER BY id"),
              ElementsAre("Chloé", "Dora"));
  EXPECT_EQ(lake.report().files_read, 2u);
}

TEST_F(QueryPeople, OpenAllFilesWhenPruningIsOff) {
  lake.query({.prune = false});
  EXPECT_THAT(lake.lines("SELECT name FROM people WHERE country = 'FR'"), ElementsAre("Chloé"));
  EXPECT_EQ(lake.report().files_read, 3u);
}

TEST_F(QueryPeople, GiveNoRowsButColumnsWhenNoFileIsLeft) {
  lake.query();
  EXPECT_THAT(lake.lines("SELECT name FROM people WHERE id > 100"), IsEmpty());
  EXPECT_EQ(lake.report().files_read, 0u);
  EXPECT_THAT(lake.lines("SELECT count(*), max(id) FROM people WHERE id > 100"),
              ElementsAre("0|NULL"));
}

TEST_F(QueryPeople, KeepFilesThatAnyUseOfTheTableWants) {
  EXPECT_THAT(lake.lines("SELECT name FROM people WHERE id = 1 UNION ALL "
                         "SELECT name FROM people WHERE country = 'FR'"),
              UnorderedElementsAre("Ada", "Chloé"));
  EXPECT_EQ(lake.report().files_read, 2u);
  EXPECT_THAT(lake.lines("SELECT name FROM people WHERE id = 1 UNION ALL "
                         "SELECT max(name) FROM people"),
              UnorderedElementsAre("Ada", "Dora"));
  EXPECT_EQ(lake.report().files_read, 3u);
}

TEST_F(QueryPeople, KeepFilesThatAnOuterJoinNeeds) {
  EXPECT_THAT(lake.lines("SELECT v, name FROM (VALUES (1), (3)) t(v) LEFT JOIN people p ON "
                         "p.id = v WHERE p.country IS NULL OR p.country = 'DE' ORDER BY v"),
              ElementsAre("1|Ada"));
  EXPECT_EQ(lake.report().files_read, 3u);
  EXPECT_THAT(lake.lines("SELECT p.name, q.name FROM people p LEFT JOIN people q ON "
                         "q.id = p.id + 2 WHERE p.country = 'DE' ORDER BY p.id"),
              ElementsAre("Ada|Chloé", "Bob|Dora"));
}

TEST_F(QueryPeople, AreSeenAtTheirNewestVersionByEachStatement) {
  EXPECT_THAT(lake.lines("SELECT count(*) FROM people"), ElementsAre("4"));
  lake.write_parquet("b/people/more.parquet", "SELECT 5::BIGINT AS id, 'Eve' AS name");
  lake.commit("b/people", 2, delta_add("more.parquet", R"({"country":"DE"})"));
  EXPECT_THAT(lake.lines("SELECT count(*) FROM people"), ElementsAre("5"));
  EXPECT_EQ(lake.report().version, 2);
}

TEST_F(QueryPeople, TravelInTimeByVersion) {
  EXPECT_THAT(lake.lines("SELECT count(*) FROM people AT (VERSION => 0)"), ElementsAre("3"));
  EXPECT_EQ(lake.report().name, "people");
  EXPECT_EQ(lake.report().version, 0);
  EXPECT_THAT(lake.lines("SELECT p.name FROM people AT (VERSION => 1) p ANTI JOIN "
                         "'lake://b/people' AT (VERSION => 2 - 2) old USING (id)"),
              ElementsAre("Dora"));
  EXPECT_THAT(lake.lines("SELECT people.id FROM people AT (VERSION => 0) WHERE country = 'FR'"),
              ElementsAre("3"));
  EXPECT_EQ(lake.report().files_read, 1u);
  EXPECT_THAT(lake.error("FROM people AT (VERSION => 7)"), HasSubstr("7"));
  EXPECT_THAT(lake.error("FROM peple AT (VERSION => 7)"), HasSubstr("Did you mean \"people\"?"));
}

TEST_F(QueryPeople, TravelInTimeByTime) {
  using std::filesystem::file_time_type;
  const auto log = lake.root() / "b/people/_delta_log";
  const auto now = std::filesystem::last_write_time(log / "00000000000000000001.json");
  std::filesystem::last_write_time(log / "00000000000000000000.json", now - std::chrono::hours(2));
  EXPECT_THAT(lake.lines("SELECT count(*) FROM people AT (TIMESTAMP => now() - INTERVAL 1 hour)"),
              ElementsAre("3"));
  EXPECT_THAT(lake.lines("SELECT count(*) FROM people AT (TIMESTAMP => now())"), ElementsAre("4"));
  EXPECT_THAT(lake.error("FROM people AT (TIMESTAMP => '2001-01-01')"), HasSubstr("2001"));
  EXPECT_THAT(lake.error("FROM people AT (TIMESTAMP => NULL)"), HasSubstr("gives no time"));
}

TEST_F(QueryPeople, AreFoundInEveryKindOfStatement) {
  const std::string target = (lake.root() / "out.csv").string();
  lake.query({.may_write = true});
  EXPECT_THAT(lake.lines("COPY (SELECT id FROM people WHERE country = 'DE') TO '" + target + "'"),
              ElementsAre("2"));
  EXPECT_EQ(lake.report().files_read, 1u);
  EXPECT_THAT(lake.lines("CREATE TEMP TABLE kept AS SELECT * FROM people WHERE id < 3"),
              ElementsAre("2"));
  EXPECT_EQ(lake.report().files_read, 1u);
  EXPECT_THAT(lake.lines("SELECT count(*) FROM kept"), ElementsAre("2"));
  EXPECT_THAT(lake.lines("EXPLAIN SELECT * FROM people WHERE id = 1"),
              ElementsAre(HasSubstr("READ_PARQUET"),
                          HasSubstr("files_read|people version 1: 1 of 3 files")));
  EXPECT_EQ(lake.report().files_read, 1u);
  EXPECT_EQ(lake.rows("SUMMARIZE people").size(), 3u);
  EXPECT_EQ(lake.rows("PIVOT people ON country USING count(*) GROUP BY id").size(), 4u);
  EXPECT_EQ(lake.rows("PIVOT people ON country USING count(*) GROUP BY id").size(), 4u);
  EXPECT_THAT(lake.lines("SELECT max(COLUMNS('i.')) FROM people"), ElementsAre("4"));
  EXPECT_THAT(lake.lines("WITH p AS (FROM people WHERE id = 2) SELECT name FROM p"),
              ElementsAre("Bob"));
  EXPECT_THAT(lake.lines("SELECT (SELECT name FROM people WHERE id = 2)"), ElementsAre("Bob"));
  EXPECT_THAT(lake.lines("FROM query('SELECT count(*) FROM people')"), ElementsAre("4"));
}

TEST_F(QueryPeople, GiveWayToTheUsersOwnTablesAndCtes) {
  EXPECT_THAT(lake.lines("WITH people AS (SELECT 7 AS seven) FROM people"), ElementsAre("7"));
  EXPECT_THAT(lake.lines("WITH people AS (FROM people WHERE id > 2) "
                         "SELECT count(*) FROM people WHERE id < 4"),
              ElementsAre("1"));
  lake.rows("CREATE TEMP TABLE people AS SELECT 8 AS eight");
  EXPECT_THAT(lake.lines("FROM people"), ElementsAre("8"));
  lake.rows("DROP TABLE people");
  EXPECT_THAT(lake.lines("SELECT count(*) FROM people"), ElementsAre("4"));
}

TEST_F(QueryPeople, InViewsAreReadWholeAndNew) {
  lake.rows("CREATE VIEW germans AS SELECT * FROM people WHERE country = 'DE'");
  lake.rows("CREATE MACRO ids(c) AS TABLE SELECT id FROM people WHERE country = c");
  EXPECT_THAT(lake.lines("SELECT count(*) FROM germans"), ElementsAre("2"));
  EXPECT_THAT(lake.lines("SELECT g.name FROM germans g, people p WHERE p.id = 4 AND g.id = 1"),
              ElementsAre("Ada"));
  EXPECT_THAT(lake.lines("SELECT * FROM ids('FR')"), ElementsAre("3"));
  lake.write_parquet("b/people/more.parquet", "SELECT 5::BIGINT AS id, 'Eve' AS name");
  lake.commit("b/people", 2, delta_add("more.parquet", R"({"country":"DE"})"));
  EXPECT_THAT(lake.lines("SELECT count(*) FROM germans"), ElementsAre("3"));
}

TEST_F(QueryPeople, AreKnownToErrorsAboutWrongNames) {
  const std::string message = lake.error("SELECT *\nFROM poeple");
  EXPECT_THAT(message, HasSubstr("Table with name poeple does not exist!\n"
                                 "Did you mean \"people\"?\nThere are: people\n\n"
                                 "LINE 2: FROM poeple\n             ^"));
  EXPECT_THAT(lake.error("FROM entirely_different"), Not(HasSubstr("Did you mean")));
}

TEST_F(QueryPeople, OutliveAFailedStatementAndATransaction) {
  EXPECT_THAT(lake.error("SELECT nonsense FROM people"), HasSubstr("nonsense"));
  lake.rows("BEGIN");
  EXPECT_THAT(lake.lines("SELECT count(*) FROM people"), ElementsAre("4"));
  lake.error("SELECT 'x'::INTEGER FROM people");
  lake.rows("ROLLBACK");
  EXPECT_THAT(lake.lines("SELECT count(*) FROM people"), ElementsAre("4"));
}

TEST_F(QueryPeople, ShowNothingBeforeTheFirstCommit) {
  lake.name("later", {"b", "later"}, DataFormat::kDelta);
  EXPECT_THAT(lake.error("FROM later"), HasSubstr("later: there is no Delta table yet"));
}

TEST_F(QueryPeople, AreNotPrunedByACollationThatTheStatisticsDoNotKnow) {
  lake.query();
  lake.rows("SET default_collation = 'nocase'");
  EXPECT_THAT(lake.lines("SELECT name FROM people WHERE country = 'fr'"), ElementsAre("Chloé"));
}

TEST(QueryTables, FillColumnsThatOldFilesLackAndWidenTypes) {
  TestLake lake;
  lake.write_parquet("b/t/old.parquet", "SELECT 1::INTEGER AS id, {'a': 1::SMALLINT} AS s");
  lake.write_parquet(
      "b/t/new.parquet",
      "SELECT {'a': 2::INTEGER, 'b': 'x'} AS s, 1.5::DECIMAL(10,2) AS price, "
      "[{'k': 1, 'v': NULL::DATE}] AS l, MAP {'m': 1::BIGINT} AS m, 2::BIGINT AS ID");
  const std::string s = R"({"type":"struct","fields":[)" + delta_field("a", "integer") + "," +
                        delta_field("b", "string") + "]}";
  const std::string l = R"({"type":"array","containsNull":true,"elementType":{"type":"struct",)"
                        R"("fields":[)" +
                        delta_field("k", "integer") + "," + delta_field("v", "date") + "]}}";
  const std::string m =
      R"({"type":"map","keyType":"string","valueType":"long","valueContainsNull":true})";
  lake.commit("b/t", 0,
              delta_metadata({delta_field("id", "long"), delta_field("s", s),
                              delta_field("price", "decimal(10,2)"), delta_field("l", l),
                              delta_field("m", m), delta_field("file_index", "string")}) +
                  delta_add("old.parquet") + delta_add("new.parquet"));
  EXPECT_THAT(lake.lines("SELECT * FROM 'lake://b/t' ORDER BY id"),
              ElementsAre("1|{\"a\":1,\"b\":null}|NULL|NULL|NULL|NULL",
                          "2|{\"a\":2,\"b\":\"x\"}|1.50|[{\"k\":1,\"v\":null}]|{\"m\":1}|NULL"));
}

TEST(QueryTables, ReadPartitionValuesOfEveryType) {
  TestLake lake;
  lake.write_parquet("b/t/x.parquet", "SELECT 1 AS id");
  lake.write_parquet("b/t/y.parquet", "SELECT 2 AS id");
  const std::vector<std::pair<std::string, std::string>> columns = {
      {"boolean", "true"},
      {"byte", "-1"},
      {"short", "2"},
      {"integer", "3"},
      {"long", "9007199254740993"},
      {"float", "1.5"},
      {"double", "1.0E7"},
      {"decimal(20,2)", "123456789012345678.90"},
      {"string", "a/b c"},
      {"binary", "xyz"},
      {"date", "2024-02-29"},
      {"timestamp", "2024-06-15T19:30:45.123456Z"}};
  std::vector<std::string> fields;
  std::vector<std::string> names;
  std::string values;
  std::string nulls;
  for (const auto& [type, value] : columns) {
    const std::string name = "p" + std::to_string(names.size());
    names.push_back(name);
    fields.push_back(delta_field(name, type));
    values += fmt::format("{}\"{}\":\"{}\"", values.empty() ? "" : ",", name, value);
    nulls += fmt::format("{}\"{}\":null", nulls.empty() ? "" : ",", name);
  }
  fields.push_back(delta_field("id", "integer"));
  lake.commit("b/t", 0,
              delta_metadata(fields, names) + delta_add("x.parquet", "{" + values + "}") +
                  delta_add("y.parquet", "{" + nulls + "}"));
  EXPECT_THAT(lake.lines("SET TimeZone = 'America/New_York'"), IsEmpty());
  EXPECT_THAT(
      lake.lines("SELECT * FROM 'lake://b/t' ORDER BY id"),
      ElementsAre("true|-1|2|3|9007199254740993|1.5|10000000.0|123456789012345678.90|a/b c|xyz|"
                  "2024-02-29|2024-06-15 19:30:45.123456+00|1",
                  "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|2"));
  EXPECT_THAT(lake.lines("SELECT id FROM 'lake://b/t' WHERE p4 = 9007199254740993 AND "
                         "p10 = '2024-02-29' AND p7 > 1 AND p8 IN ('a/b c') AND p0 AND "
                         "p11 >= TIMESTAMPTZ '2024-06-15 19:30:45.123456Z'"),
              ElementsAre("1"));
  EXPECT_EQ(lake.report().files_read, 1u);
}

TEST(QueryTables, ReadFilesWhosePathsHoldAnything) {
  TestLake lake;
  const std::vector<std::pair<std::string, std::string>> files = {
      {"d=a%2Fb/[x].parquet", "d=a%252Fb/%5Bx%5D.parquet"},
      {"d=*/ä ?.parquet", "d=*/ä%20%3F.parquet"},
      {"quote's \"and\" back\\slash.parquet", "quote's%20%22and%22%20back%5Cslash.parquet"}};
  std::string adds;
  for (std::size_t i = 0; i < files.size(); ++i) {
    lake.write_parquet("b/t/" + files[i].first, fmt::format("SELECT {} AS id", i));
    adds += delta_add(files[i].second);
  }
  lake.commit("b/t", 0, delta_metadata({delta_field("id", "integer")}) + adds);
  EXPECT_THAT(lake.lines("SELECT id FROM 'lake://b/t' ORDER BY id"), ElementsAre("0", "1", "2"));
}

TEST(QueryTables, OfPartitionColumnsAloneHaveRows) {
  TestLake lake;
  lake.write_parquet("b/t/x.parquet", "SELECT 1 AS unknown FROM range(3)");
  lake.commit(
      "b/t", 0,
      delta_metadata({delta_field("p", "string")}, {"p"}) + delta_add("x.parquet", R"({"p":"v"})"));
  EXPECT_THAT(lake.lines("SELECT p FROM 'lake://b/t'"), ElementsAre("v", "v", "v"));
}

TEST(QueryTables, OfManyPartitionsAreAsExactAsOfFew) {
  TestLake lake;
  lake.write_parquet("b/t/x.parquet", "SELECT range AS id FROM range(5)");
  std::string adds;
  for (int i = 0; i < 300; ++i) {
    const std::string path = fmt::format("{}.parquet", i);
    std::filesystem::copy(lake.root() / "b/t/x.parquet", lake.root() / "b/t" / path);
    adds += delta_add(
        path, fmt::format(R"({{"p":"{}","q":{}}})", i, i % 2 ? "null" : fmt::format("\"q{}\"", i)));
  }
  lake.commit("b/t", 0,
              delta_metadata({delta_field("p", "integer"), delta_field("q", "string"),
                              delta_field("id", "long")},
                             {"p", "q"}) +
                  adds);
  EXPECT_THAT(lake.lines("SELECT count(*), count(DISTINCT p), sum(p), count(q), "
                         "count(*) FILTER (q <> 'q' || p) FROM 'lake://b/t'"),
              ElementsAre("1500|300|224250|750|0"));
  EXPECT_THAT(lake.lines("SELECT DISTINCT p, q FROM 'lake://b/t' WHERE p BETWEEN 6 AND 7"),
              UnorderedElementsAre("6|q6", "7|NULL"));
  EXPECT_EQ(lake.report().files_read, 2u);
}

TEST(QueryTables, WithoutFilesHaveColumns) {
  TestLake lake;
  lake.commit("b/t", 0, delta_metadata({delta_field("id", "integer"), delta_field("d", "date")}));
  EXPECT_THAT(lake.lines("SELECT count(*), max(d) FROM 'lake://b/t'"), ElementsAre("0|NULL"));
}

TEST(QueryValues, AreWrittenExactlyByEveryRenderer) {
  TestLake lake;
  Query& query = lake.query();
  const auto text = [&](OutputFormat format) {
    std::string out;
    const auto sources = run_task(query.run_to(
        "SELECT 170141183460469231731687303715884105727 AS huge, 1.10::DECIMAL(5,2) AS d, "
        "TIMESTAMPTZ '2024-01-01 00:00:00+02' AS t, [1, NULL] AS l, NULL AS n",
        [&](const std::vector<Column>& columns) {
          return make_row_writer(format, columns, [&](std::string_view piece) { out += piece; });
        }));
    EXPECT_THAT(sources, IsEmpty());
    return out;
  };
  EXPECT_EQ(text(OutputFormat::kNdjson),
            "{\"huge\":170141183460469231731687303715884105727,\"d\":1.10,"
            "\"t\":\"2023-12-31 22:00:00+00\",\"l\":[1,null],\"n\":null}\n");
  EXPECT_EQ(text(OutputFormat::kCsv),
            "huge,d,t,l,n\n170141183460469231731687303715884105727,1.10,2023-12-31 "
            "22:00:00+00,\"[1,null]\",\n");
}

TEST(QueryStopping, InterruptEndsAStatementFromAnyThread) {
  TestLake lake;
  Query& query = lake.query();
  const auto read = [&]() -> Task<> {
    const auto result = co_await query.run("SELECT range FROM range(1000000000000)");
    query.interrupt();
    while (co_await result->next()) {
    }
  };
  try {
    run_task(read());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  EXPECT_THAT(lake.lines("SELECT 1"), ElementsAre("1")) << "the next statement runs again";
}

TEST(QueryStopping, CancellingTheTaskReachesIntoTheEngine) {
  TestLake lake;
  Query& query = lake.query();
  boost::asio::io_context loop;
  boost::asio::cancellation_signal cancel;
  std::exception_ptr failure;
  boost::asio::co_spawn(
      loop,
      [&]() -> Task<> {
        // Would take for ever before its first row.
        co_await query.run(
            "SELECT count(*) FROM range(1000000) a, range(1000000000) b "
            "WHERE hash(a.range, b.range) = 1");
      },
      boost::asio::bind_cancellation_slot(cancel.slot(),
                                          [&](std::exception_ptr e) { failure = e; }));
  boost::asio::post(loop, [&] { cancel.emit(boost::asio::cancellation_type::terminal); });
  loop.run();
  ASSERT_TRUE(failure);
  EXPECT_EQ(to_error(failure).kind(), ErrorKind::kCancelled);
}

TEST(QueryStatements, RunOneAtATime) {
  TestLake lake;
  EXPECT_THAT(lake.error("SELECT 1; SELECT 2"), HasSubstr("here are 2"));
  EXPECT_THAT(lake.error(" -- nothing"), HasSubstr("here are 0"));
  EXPECT_THAT(lake.lines("SELECT 1;"), ElementsAre("1"));
}

TEST(QueryStatements, EndTheResultOfTheOneBefore) {
  TestLake lake;
  Query& query = lake.query();
  const auto read = [&]() -> Task<> {
    const auto first = co_await query.run("SELECT range FROM range(100000)");
    const auto second = co_await query.run("SELECT 1");
    EXPECT_EQ((co_await second->next())->rows, 1u);
    co_await first->next();
  };
  EXPECT_THROW(run_task(read()), Error);
}

}  // namespace
}  // namespace headrace
