#include "query/data_files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/query_names.h"
#include "query/test_lake.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct GlobCase {
  const char* pattern;
  const char* path;
  bool matches;
};

class Glob : public testing::TestWithParam<GlobCase> {};

TEST_P(Glob, MatchesOrNot) {
  EXPECT_EQ(matches_glob(GetParam().pattern, GetParam().path), GetParam().matches)
      << GetParam().pattern << " " << GetParam().path;
}

INSTANTIATE_TEST_SUITE_P(
    Patterns, Glob,
    testing::Values(GlobCase{"a/*.json", "a/b.json", true},
                    GlobCase{"a/*.json", "a/b/c.json", false},
                    GlobCase{"a/**.json", "a/b/c.json", true}, GlobCase{"**/c", "c", true},
                    GlobCase{"**/c", "a/b/c", true}, GlobCase{"a/**/c", "a/c", true},
                    GlobCase{"a/**/c", "a/b/b/c", true}, GlobCase{"a/**/c/*", "a/b/c/d", true},
                    GlobCase{"a?c", "abc", true}, GlobCase{"a?c", "a/c", false},
                    GlobCase{"a[b-d]e", "ace", true}, GlobCase{"a[b-d]e", "aee", false},
                    GlobCase{"a[!b]c", "axc", true}, GlobCase{"a[!b]c", "abc", false},
                    GlobCase{"a[", "a[", true}, GlobCase{"*", "", true}, GlobCase{"", "", true},
                    GlobCase{"*a*b*c*", "xxaxxbxxcxx", true}, GlobCase{"*a*b", "xaxbx", false},
                    GlobCase{"**", "a/b/c", true}, GlobCase{"dt=*/x-?.csv", "dt=1/x-2.csv", true}));

TEST(Glob, TakesNoLongerForManyStars) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_FALSE(matches_glob(pattern + "b", std::string(2000, 'a')));
}

class QueryFiles : public testing::Test {
 protected:
  QueryFiles() {
    lake.write("b/lines/1.jsonl", "{\"id\":1,\"name\":\"Ada\"}\n{\"id\":2}\n");
    lake.write("b/lines/deep/2.ndjson", "{\"id\":3,\"more\":[1]}\n");
    lake.write("b/lines/_tmp/3.jsonl", "broken");
    lake.write("b/lines/.hidden", "broken");
    lake.write("b/lines/empty.jsonl", "");
    lake.write("b/array.json", "[{\"id\":1},{\"id\":2}]");
    lake.write("b/csv/1.csv", "id,name\n1,\"a,b\"\n");
    lake.write("b/csv/2.CSV", "id,name\n2,\n");
    lake.write_parquet("b/parquet/year=2024/x.parquet", "SELECT 1 AS id");
    lake.write("b/mixed/1.csv", "id\n1\n");
    lake.write("b/mixed/1.json", "{\"id\":1}");
    lake.write("b/mixed/readme.txt", "hello");
    lake.query({.working_folder = lake.root() / "b"});
  }
  TestLake lake;
};

TEST_F(QueryFiles, OfAFolderAreOneTable) {
  EXPECT_THAT(lake.lines("SELECT id, name, more FROM './lines' ORDER BY id"),
              ElementsAre("1|Ada|NULL", "2|NULL|NULL", "3|NULL|[1]"));
  EXPECT_EQ(lake.report().files_total, 2u) << "hidden and empty files are none";
  EXPECT_EQ(lake.report().version, std::nullopt);
  EXPECT_THAT(lake.lines("SELECT count(*) FROM 'lake://b/lines/'"), ElementsAre("3"));
}

TEST_F(QueryFiles, AreReadOneByOneAndByPattern) {
  EXPECT_THAT(lake.lines("SELECT count(*) FROM 'lines/1.jsonl'"), ElementsAre("2"));
  EXPECT_THAT(lake.lines("SELECT count(*) FROM 'array.json'"), ElementsAre("2"));
  EXPECT_THAT(lake.lines("SELECT count(*) FROM 'lines/*.jsonl'"), ElementsAre("2"));
  EXPECT_THAT(lake.lines("SELECT count(*) FROM 'lake://b/lines/**/*.ndjson'"), ElementsAre("1"));
  EXPECT_THAT(lake.lines("SELECT id, name FROM 'csv' ORDER BY id"), ElementsAre("1|a,b", "2|NULL"));
  EXPECT_THAT(lake.lines("SELECT * FROM 'mixed/*.csv'"), ElementsAre("1"));
}

TEST_F(QueryFiles, InHiveFoldersHaveTheFoldersColumns) {
  EXPECT_THAT(lake.lines("SELECT id, year FROM 'parquet'"), ElementsAre("1|2024"));
}

TEST_F(QueryFiles, OfSeveralKindsAreNamedInTheError) {
  EXPECT_THAT(lake.error("FROM './mixed'"),
              HasSubstr("./mixed: found 1 of .csv, 1 of .json, 1 of .txt"));
  EXPECT_THAT(lake.error("FROM './mixed/readme.txt'"), HasSubstr("found 1 of .txt"));
  EXPECT_THAT(lake.error("FROM './nothing'"), HasSubstr("./nothing: no files there"));
  EXPECT_THAT(lake.error("FROM 'lines/*.parquet'"), HasSubstr("no files there"));
  EXPECT_THAT(lake.error("FROM 'ocean://b/x'"), HasSubstr("ocean"));
  EXPECT_THAT(lake.error("FROM 'lake://b/csv' AT (VERSION => 1)"),
              HasSubstr("only Delta tables keep their versions; this is csv"));
}

TEST_F(QueryFiles, OfADatasetAreReadAsItSays) {
  lake.write("b/raw/x", "{\"id\":1}\n{\"id\":2}\n");
  lake.write("b/raw/y", "{\"id\":3}\n");
  lake.write("b/rawer/z", "{\"id\":4}\n");
  lake.name("raw", {"b", "raw"}, DataFormat::kJsonLines);
  lake.name("raw_folder", {"b", "raw/"}, DataFormat::kJsonLines);
  lake.name("csv", {"b", "csv/"}, DataFormat::kAuto);
  EXPECT_THAT(lake.lines("SELECT count(*) FROM raw"), ElementsAre("4"));
  EXPECT_THAT(lake.lines("SELECT count(*) FROM raw_folder"), ElementsAre("3"));
  EXPECT_THAT(lake.lines("SELECT count(*) FROM csv"), ElementsAre("2"));
}

TEST_F(QueryFiles, SayWhereTheirDataIsWrong) {
  lake.write("b/bad.jsonl", "{\"id\":1}\n{\"id\":\n");
  EXPECT_THAT(lake.error("FROM 'bad.jsonl'"), HasSubstr("bad.jsonl"));
}

TEST(DataFormats, AreKnownByExtension) {
  EXPECT_EQ(format_of_name("a/b.jsonl"), DataFormat::kJsonLines);
  EXPECT_EQ(format_of_name("a.NDJSON.gz"), DataFormat::kJsonLines);
  EXPECT_EQ(format_of_name("a.json.zst"), DataFormat::kJson);
  EXPECT_EQ(format_of_name("a.b.csv"), DataFormat::kCsv);
  EXPECT_EQ(format_of_name("a.parquet"), DataFormat::kParquet);
  EXPECT_EQ(format_of_name("a.parquet.gz"), std::nullopt);
  EXPECT_EQ(format_of_name("a.csv/b"), std::nullopt);
  EXPECT_EQ(format_of_name("a.gz"), std::nullopt);
  EXPECT_EQ(parse_data_format("jsonl"), DataFormat::kJsonLines);
  EXPECT_EQ(parse_data_format("orc"), std::nullopt);
}

TEST(QueryNames, AreTakenFromTheEnginesMessages) {
  EXPECT_EQ(missing_table("Catalog Error: Table with name a b does not exist!\nDid"), "a b");
  EXPECT_EQ(missing_table("Binder Error: x"), std::nullopt);
  EXPECT_EQ(same_ignoring_case("PEOPLE", {"people", "other"}), "people");
  EXPECT_EQ(same_ignoring_case("PEOPLE", {"people", "People"}), std::nullopt);
}

}  // namespace
}  // namespace headrace
