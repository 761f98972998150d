#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "query/data_folders.h"
#include "query/dataset_columns.h"
#include "query/dataset_state.h"
#include "query/delta_view.h"
#include "query/test_lake.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

ObjectInfo object(std::string path, std::string etag = "1") {
  ObjectInfo info;
  info.key = {"b", std::move(path)};
  info.etag = {std::move(etag)};
  return info;
}

std::vector<std::string> columns_and_types(const std::vector<std::string>& keys) {
  std::vector<ObjectInfo> objects;
  for (const std::string& key : keys) objects.push_back(object(key));
  std::vector<std::string> out;
  for (const Field& field : folder_partitions(objects).schema.fields) {
    out.push_back(field.name + " " + sql_type(field.type));
  }
  return out;
}

TEST(FolderPartitions, AreColumnsWhereAllKeysHaveTheSame) {
  EXPECT_THAT(columns_and_types({"t/dt=2026-01-01/n=1/a.csv", "t/dt=2026-01-02/n=02/b.csv"}),
              ElementsAre("dt DATE", "n BIGINT"));
  EXPECT_THAT(columns_and_types({"dt=2026-13-01/a.csv"}), ElementsAre("dt VARCHAR"));
  EXPECT_THAT(columns_and_types({"n=1/a", "n=x/b"}), ElementsAre("n VARCHAR"));
  EXPECT_THAT(columns_and_types({"n=99999999999999999999/a"}), ElementsAre("n VARCHAR"));
  EXPECT_THAT(columns_and_types({"n=__HIVE_DEFAULT_PARTITION__/a", "n=1/a"}),
              ElementsAre("n BIGINT"));
  EXPECT_THAT(columns_and_types({"a=1/x", "b=1/x"}), IsEmpty());
  EXPECT_THAT(columns_and_types({"a=1/x", "x"}), IsEmpty());
  EXPECT_THAT(columns_and_types({"x", "a=1/x"}), IsEmpty());
  EXPECT_THAT(columns_and_types({"a=1/a=2/x"}), IsEmpty());
  EXPECT_THAT(columns_and_types({"=1/a=1.csv"}), IsEmpty());
  EXPECT_THAT(columns_and_types({}), IsEmpty());
}

TEST(FolderPartitions, HaveDecodedValues) {
  const Snapshot folders =
      folder_partitions({object("c=a%2Fb%20%zz/x"), object("c=__HIVE_DEFAULT_PARTITION__/x")});
  EXPECT_EQ(folders.files[0].partition.at("c"), "a/b %zz");
  EXPECT_EQ(folders.files[1].partition.at("c"), std::nullopt);
}

TEST(DatasetState, ComesBackFromItsJson) {
  DatasetState state{.place = "lake://b/\"p\" as auto",
                     .format = DataFormat::kCsv,
                     .crawled = *parse_time("2026-01-31T01:02:03.456Z"),
                     .objects = 2,
                     .bytes = 1ull << 40,
                     .columns = {{"a \"b\"", "STRUCT(x BIGINT)"}, {"n", "NULL"}},
                     .partitions = {{"dt", "DATE"}},
                     .changes = {{*parse_time("2026-01-30T00:00:00Z"), "n", "", "NULL"}},
                     .seen = {1, ~0ull}};
  EXPECT_EQ(parse_dataset_state(to_json(state)), state);
}

TEST(DatasetState, IsRefusedWhenItIsSomethingElse) {
  const std::string good = to_json({.place = "p", .seen = {7}});
  for (const auto& [was, now] :
       {std::pair<std::string, std::string>{"\"version\":1", "\"version\":2"},
        {"0000000000000007", "00000000000007"},
        {"0000000000000007", "000000000000000z"},
        {"ndjson", "xml"},
        {"1970-01-01T00:00:00Z", "yesterday"},
        {"\"columns\":[]", "\"columns\":{}"},
        {"}", ""}}) {
    std::string bad = good;
    ASSERT_NE(bad.find(was), std::string::npos) << was;
    bad.replace(bad.find(was), was.size(), now);
    try {
      parse_dataset_state(bad);
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << bad;
    }
  }
}

TEST(DatasetState, KnowsObjectsByKeyAndContent) {
  DatasetState state;
  state.seen = {fingerprint(object("a", "1"))};
  EXPECT_TRUE(state.has_seen(object("a", "1")));
  EXPECT_FALSE(state.has_seen(object("a", "2")));
  EXPECT_FALSE(state.has_seen(object("b", "1")));
}

TEST(DatasetColumns, AreToldApartOnlyByMoreThanCase) {
  EXPECT_TRUE(readable_by_name({{"a", "X"}, {"b_1", "X"}, {"a_b", "X"}, {"1", "X"}, {"_1", "X"}}));
  EXPECT_FALSE(readable_by_name({{"A", "X"}, {"a_1", "X"}}));
}

/// A dataset of JSON lines called d, below b/d/.
class Dataset : public testing::Test {
 protected:
  Dataset() { lake.name("d", {"b", "d/"}, DataFormat::kAuto); }

  std::vector<std::string> described() {
    return lake.lines("SELECT column_name, column_type FROM (DESCRIBE d)");
  }

  TestLake lake;
};

TEST_F(Dataset, IsReadAsItIsNow) {
  lake.write("b/d/a.jsonl", "{\"id\":1}\n");
  EXPECT_THAT(lake.lines("FROM d"), ElementsAre("1"));
  lake.write("b/d/a.jsonl", "{\"id\":2,\"x\":\"y\"}\n");
  lake.write("b/d/b.jsonl", "{\"id\":3}\n");
  EXPECT_THAT(lake.lines("FROM d ORDER BY id"), ElementsAre("2|y", "3|NULL"));
}

TEST_F(Dataset, HasColumnsFromItsFolders) {
  lake.write("b/d/dt=2026-01-01/c=NO/a.jsonl", "{\"id\":1}\n");
  lake.write("b/d/dt=2026-01-02/c=S%C3%84/a.jsonl", "{\"id\":2,\"dt\":\"not this\"}\n");
  EXPECT_THAT(described(), ElementsAre("id|BIGINT", "dt|DATE", "c|VARCHAR"));
  EXPECT_THAT(lake.lines("FROM d ORDER BY id"), ElementsAre("1|2026-01-01|NO", "2|2026-01-02|SÄ"));
  EXPECT_THAT(lake.lines("SELECT id FROM d WHERE dt > '2026-01-01'"), ElementsAre("2"));
  EXPECT_EQ(lake.report().files_read, 1u);
  EXPECT_EQ(lake.report().files_total, 2u);
  EXPECT_FALSE(lake.report().version);
  EXPECT_THAT(lake.lines("SELECT id FROM d WHERE dt > '2027-01-01'"), IsEmpty());
  EXPECT_THAT(lake.lines("SELECT count(*) FROM 'lake://b/d/' WHERE c = 'NO'"), ElementsAre("1"));
  EXPECT_EQ(lake.report().files_read, 1u);
}

TEST_F(Dataset, KeepsTheColumnsThatACrawlFound) {
  lake.write("b/d/a.jsonl", "{\"id\":1,\"s\":{\"x\":1},\"n\":null}\n");
  const Crawl first = lake.crawl("d");
  EXPECT_EQ(first.objects_read, 1u);
  EXPECT_THAT(first.state.columns,
              ElementsAre(TypedColumn{"id", "BIGINT"}, TypedColumn{"s", "STRUCT(x BIGINT)"},
                          TypedColumn{"n", "NULL"}));
  EXPECT_THAT(described(), ElementsAre("id|BIGINT", "s|STRUCT(x BIGINT)", "n|JSON"));
  lake.write("b/d/a.jsonl", "{\"id\":2}\n");
  EXPECT_THAT(lake.lines("FROM d"), ElementsAre("2|NULL|NULL"));
  EXPECT_EQ(lake.report().drift, "");
}

TEST_F(Dataset, FollowsObjectsThatAreNewerThanTheCrawl) {
  lake.write("b/d/a.jsonl", "{\"id\":1,\"n\":null}\n");
  lake.crawl("d");
  lake.write("b/d/b.jsonl", "{\"id\":2.5,\"n\":7,\"late\":true}\n");
  // With an old date, as copied files have.
  std::filesystem::last_write_time(
      lake.root() / "b/d/b.jsonl",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(1'000));
  EXPECT_THAT(lake.lines("SELECT id, n, late FROM d ORDER BY id"),
              ElementsAre("1.0|NULL|NULL", "2.5|7|true"));
  EXPECT_EQ(lake.report().drift,
            "id is DOUBLE and was BIGINT, n is BIGINT and was NULL, new column late (BOOLEAN)");
  const Crawl second = lake.crawl("d");
  EXPECT_EQ(second.objects_read, 1u);
  EXPECT_EQ(second.changes.size(), 3u);
  EXPECT_EQ(second.state.changes.size(), 5u);
  lake.lines("FROM d");
  EXPECT_EQ(lake.report().drift, "");
  EXPECT_EQ(lake.crawl("d").objects_read, 0u);
}

TEST_F(Dataset, ForgetsColumnsOnlyWhenCrawledAnew) {
  lake.write("b/d/a.jsonl", "{\"id\":1,\"old\":1}\n");
  lake.crawl("d");
  lake.write("b/d/a.jsonl", "{\"id\":1}\n");
  EXPECT_THAT(lake.crawl("d").changes, IsEmpty());
  EXPECT_EQ(to_string(lake.crawl("d", true).changes), "old is gone");
}

TEST_F(Dataset, OfMixedTypesIsReadByOneThatHoldsAll) {
  std::string rows;
  for (int i = 0; i < 30'000; ++i) rows += "{\"id\":1,\"v\":1}\n";
  lake.write("b/d/a.jsonl", rows + "{\"id\":\"x\",\"v\":[1]}\n");
  const std::string error = lake.error("SELECT count(id) FROM d");
  EXPECT_THAT(error, HasSubstr("a.jsonl"));
  EXPECT_THAT(error, HasSubstr("30001"));
  EXPECT_THAT(error, HasSubstr("headrace dataset crawl"));
  lake.crawl("d");
  EXPECT_THAT(described(), ElementsAre("id|VARCHAR", "v|JSON"));
  EXPECT_THAT(lake.lines("SELECT id, v FROM d WHERE id <> '1'"), ElementsAre("x|[1]"));
  lake.write("b/d/b.jsonl", "{\"id\":{\"deep\":1},\"v\":true}\n");
  EXPECT_THAT(lake.lines("SELECT id, v FROM d WHERE id LIKE '%deep%'"),
              ElementsAre("{\"deep\":1}|true"));
}

TEST_F(Dataset, TakesTypesThatTheStackStates) {
  lake.write("b/d/a.jsonl", "{\"id\":1,\"at\":\"2026-01-01\"}\n");
  lake.place("d").columns = {{"ID", "VARCHAR"}, {"more", "DATE[]"}};
  EXPECT_THAT(described(), ElementsAre("id|VARCHAR", "at|DATE", "more|DATE[]"));
  lake.crawl("d");
  EXPECT_THAT(described(), ElementsAre("id|VARCHAR", "at|DATE", "more|DATE[]"));
  lake.place("d").columns = {{"id", "NOPE"}};
  EXPECT_THAT(lake.error("FROM d"), HasSubstr("NOPE"));
}

TEST_F(Dataset, OfCsvFilesWithOtherColumns) {
  lake.write("b/d/k=1/a.csv", "id,name\n1,Ann\n");
  lake.write("b/d/k=2/b.csv", "name;zip\nBo;0150\n");
  lake.crawl("d");
  EXPECT_THAT(lake.lines("SELECT name, id, zip, k FROM d ORDER BY k"),
              ElementsAre("Ann|1|NULL|1", "Bo|NULL|0150|2"));
  lake.place("d").columns = {{"zip", "VARCHAR"}};
  EXPECT_THAT(lake.lines("SELECT zip, id FROM d WHERE k = 2"), ElementsAre("0150|NULL"));
  EXPECT_THAT(lake.lines("SELECT zip, name FROM d WHERE k = 1"), ElementsAre("NULL|Ann"));
}

TEST_F(Dataset, OfParquetFilesWithOtherColumns) {
  lake.write_parquet("b/d/a.parquet", "SELECT 1::INTEGER AS id, 'x' AS t");
  lake.crawl("d");
  lake.write_parquet("b/d/b.parquet", "SELECT 2::BIGINT AS id, 1.5 AS price");
  EXPECT_THAT(lake.lines("SELECT id, t, price FROM d ORDER BY id"),
              ElementsAre("1|x|NULL", "2|NULL|1.5"));
  lake.crawl("d");
  EXPECT_THAT(described(), ElementsAre("id|BIGINT", "t|VARCHAR", "price|DECIMAL(2,1)"));
  EXPECT_THAT(lake.lines("SELECT id, t, price FROM d ORDER BY id"),
              ElementsAre("1|x|NULL", "2|NULL|1.5"));
}

TEST_F(Dataset, WithNamesThatDifferOnlyInCaseIsStillRead) {
  lake.write("b/d/a.jsonl", "{\"a\":1,\"A\":2}\n");
  const auto before = lake.lines("FROM d");
  lake.crawl("d");
  EXPECT_EQ(lake.lines("FROM d"), before);
}

TEST_F(Dataset, NamesTheObjectThatCanNotBeRead) {
  lake.write("b/d/a.jsonl", "{\"id\":1}\n");
  lake.write("b/d/b.jsonl", "{\"id\":1\n{\n");
  EXPECT_THAT(lake.error("FROM d"), HasSubstr("b.jsonl"));
  try {
    lake.crawl("d");
    ADD_FAILURE() << "a broken object was crawled";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("b.jsonl"));
  }
}

}  // namespace
}  // namespace headrace
