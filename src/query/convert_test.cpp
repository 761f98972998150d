#include "query/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "query/test_lake.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Convert : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (lake.root() / name).string(); }
  std::uint64_t convert(const std::string& from, const std::string& to) {
    return run_task(convert_with_engine({.from = {path(from)},
                                         .from_format = *format_of_name(from),
                                         .to = path(to),
                                         .to_format = *format_of_name(to)},
                                        {}));
  }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  TestLake lake;
};

TEST_F(Convert, TurnsEachFormatIntoEachOther) {
  lake.write("a.jsonl", "{\"id\":1,\"name\":\"Ada\"}\n{\"id\":2,\"name\":null}\n");
  EXPECT_EQ(convert("a.jsonl", "a.csv"), 2u);
  EXPECT_EQ(content("a.csv"), "id,name\n1,Ada\n2,\n");
  EXPECT_EQ(convert("a.csv", "b.parquet"), 2u);
  EXPECT_EQ(convert("b.parquet", "b.json"), 2u);
  EXPECT_EQ(convert("b.json", "c.parquet"), 2u);
  EXPECT_EQ(convert("c.parquet", "c.ndjson"), 2u);
  EXPECT_EQ(content("c.ndjson"), "{\"id\":1,\"name\":\"Ada\"}\n{\"id\":2,\"name\":null}\n");
  EXPECT_THAT(content("b.json"), testing::StartsWith("["));
}

TEST_F(Convert, PacksAndUnpacksByTheName) {
  lake.write("a.csv", "id\n1\n2\n");
  EXPECT_EQ(convert("a.csv", "a.jsonl.gz"), 2u);
  EXPECT_EQ(content("a.jsonl.gz").substr(0, 2), "\x1f\x8b");
  EXPECT_EQ(convert("a.jsonl.gz", "b.jsonl"), 2u);
  EXPECT_EQ(content("b.jsonl"), "{\"id\":1}\n{\"id\":2}\n");
}

TEST_F(Convert, LeavesTheTextOfCsvAlone) {
  lake.write("a.csv", "zip,when\n00742,2024-1-5\n");
  EXPECT_EQ(convert("a.csv", "b.csv"), 1u);
  EXPECT_EQ(content("b.csv"), "zip,when\n00742,2024-1-5\n");
}

TEST_F(Convert, TakesFileNamesAsTheyAre) {
  lake.write("[a]*.csv", "id\n1\n");
  EXPECT_EQ(convert("[a]*.csv", "it's.jsonl"), 1u);
  EXPECT_EQ(content("it's.jsonl"), "{\"id\":1}\n");
}

TEST_F(Convert, SaysWhatIsWrongAndWhere) {
  lake.write("bad.jsonl", "{\"id\":1}\n{\"id\":\n");
  try {
    convert("bad.jsonl", "x.csv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr("bad.jsonl"));
  }
}

TEST_F(Convert, RefusesTables) {
  EXPECT_THROW(run_task(convert_with_engine(
                   {.from = {path("x")}, .from_format = DataFormat::kDelta, .to = path("y")}, {})),
               Error);
}

TEST_F(Convert, AQueryMakesTheRows) {
  lake.write("a.csv", "kind,n\na,1\nb,2\na,3\n");
  ConvertRequest request{.from = {path("a.csv")},
                         .from_format = DataFormat::kCsv,
                         .to = path("out.csv"),
                         .to_format = DataFormat::kCsv};
  request.query = "select kind, sum(n) as n from input group by kind order by kind; -- all of them";
  EXPECT_EQ(run_task(convert_with_engine(request, {})), 2u);
  EXPECT_EQ(content("out.csv"), "kind,n\na,4\nb,2\n");
  request.query = "select * from read_csv('" + path("out.csv") + "')";
  request.to = path("other.csv");
  EXPECT_THROW(run_task(convert_with_engine(request, {})), Error);
}

TEST_F(Convert, AQueryMayBeAPivot) {
  lake.write("a.csv", "kind,day,n\na,mo,1\na,tu,2\nb,mo,3\n");
  ConvertRequest request{.from = {path("a.csv")},
                         .from_format = DataFormat::kCsv,
                         .to = path("out.csv"),
                         .to_format = DataFormat::kCsv};
  for (const char* query : {"pivot input on day using sum(n) group by kind order by kind",
                            "from (pivot input on day using sum(n) group by kind) order by kind",
                            "with p as (pivot input on day using sum(n) group by kind) "
                            "from p order by kind -- the same"}) {
    request.query = query;
    EXPECT_EQ(wrong_with_query(query), "") << query;
    EXPECT_EQ(run_task(convert_with_engine(request, {})), 2u) << query;
    EXPECT_EQ(content("out.csv"), "kind,mo,tu\na,1,2\nb,3,\n") << query;
  }
  request.query = "unpivot input on n into name what value many";
  EXPECT_EQ(wrong_with_query(request.query), "");
  EXPECT_EQ(run_task(convert_with_engine(request, {})), 3u);
  // What it needs of its own is no way out.
  request.query = "pivot (from read_csv('" + path("out.csv") + "')) on day using sum(n)";
  request.to = path("other.csv");
  EXPECT_THROW(run_task(convert_with_engine(request, {})), Error);
}

TEST_F(Convert, AQueryMaySpillBesideItsFiles) {
  lake.write("a.csv", "n\n1\n");
  ConvertRequest request{.from = {path("a.csv")},
                         .from_format = DataFormat::kCsv,
                         .to = path("out.csv"),
                         .to_format = DataFormat::kCsv};
  request.query =
      "select count(*) as n from (select hash(range) as h, repeat('x', 40) as t "
      "from range(1200000) order by h)";
  EXPECT_EQ(run_task(convert_with_engine(
                request, {.memory_bytes = 64u << 20, .threads = 1, .temp_folder = path("spill")})),
            1u);
  EXPECT_EQ(content("out.csv"), "n\n1200000\n");
}

TEST(WrongWithQuery, IsToldBeforeThereAreRows) {
  EXPECT_EQ(wrong_with_query("select a from input"), "");
  EXPECT_EQ(wrong_with_query("from input; -- all"), "");
  EXPECT_THAT(wrong_with_query("selec a"), HasSubstr("syntax error"));
  EXPECT_THAT(wrong_with_query("select a from input where"), HasSubstr("syntax error"));
  for (const char* other : {"", "drop table x", "select 1; select 2", "copy x to 'y'",
                            "create table x as pivot input on a using sum(n)", "attach 'x'"}) {
    EXPECT_THAT(wrong_with_query(other), HasSubstr("one SELECT")) << other;
  }
}

}  // namespace
}  // namespace headrace
