#include "query/saving.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "query/engine_messages.h"
#include "query/test_lake.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Saving : public testing::Test {
 protected:
  std::string text(const std::string& path) {
    std::ifstream in(lake.root() / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  std::string save_error(const std::string& sql, SaveTarget target) {
    try {
      run_task(lake.query().save(sql, std::move(target)));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TestLake lake;
};

TEST_F(Saving, PutsRowsIntoAnObjectByItsEnding) {
  const Saved saved =
      run_task(lake.query().save("SELECT 1 AS a, 'x,y' AS b -- all", {.name = "lake://b/d/o.csv"}));
  EXPECT_EQ(saved.rows, 1u);
  EXPECT_EQ(text("b/d/o.csv"), "a,b\n1,\"x,y\"\n");
  run_task(lake.query().save("FROM 'lake://b/d/o.csv'", {.name = "lake://b/o.parquet"}));
  EXPECT_THAT(lake.lines("FROM 'lake://b/o.parquet'"), ElementsAre("1|x,y"));
}

TEST_F(Saving, LeavesWhatIsThereUnlessTold) {
  lake.write("b/o.csv", "mine");
  EXPECT_THAT(save_error("SELECT 1 AS a", {.name = "lake://b/o.csv"}),
              HasSubstr("lake://b/o.csv is there already"));
  EXPECT_EQ(text("b/o.csv"), "mine");
  EXPECT_EQ(save_error("SELECT 1 AS a", {.name = "lake://b/o.csv", .overwrite = true}), "");
  EXPECT_EQ(text("b/o.csv"), "a\n1\n");
}

TEST_F(Saving, WritesNothingWhenTheStatementFails) {
  EXPECT_THAT(save_error("SELECT 'x'::INTEGER AS a FROM range(10)", {.name = "lake://b/o.csv"}),
              HasSubstr("'x'"));
  EXPECT_FALSE(std::filesystem::exists(lake.root() / "b/o.csv"));
  EXPECT_THAT(save_error("SELECT 1", {.name = "lake://b/o.xls"}), HasSubstr(".parquet"));
  EXPECT_THAT(save_error("SELECT 1", {.name = "nope://b/o.csv"}), HasSubstr("nope"));
}

TEST_F(Saving, CopyTakesAUrlWhereWritingIsAllowed) {
  lake.query({.may_write = true});
  EXPECT_THAT(lake.lines("COPY (FROM range(3)) TO 'lake://b/o.csv' (FORMAT csv, HEADER false)"),
              ElementsAre("3"));
  EXPECT_EQ(text("b/o.csv"), "0\n1\n2\n");
  EXPECT_THAT(lake.error("COPY (SELECT 1 AS a, 2 AS p) TO 'lake://b/many' (FORMAT csv, "
                         "PARTITION_BY p)"),
              HasSubstr("one object"));
}

TEST_F(Saving, IsRefusedWhereSqlOnlyReads) {
  lake.query();
  for (const char* sql : {"COPY (SELECT 1) TO 'x.csv'", "ATTACH 'x.db'", "LOAD httpfs",
                          "EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.csv'", ";; ATTACH 'x.db';"}) {
    EXPECT_THAT(lake.error(sql), HasSubstr("SQL only reads here")) << sql;
  }
  lake.rows("CREATE TABLE mine AS SELECT 1 AS a");
  lake.rows("INSERT INTO mine VALUES (2)");
  EXPECT_THAT(lake.lines("SELECT sum(a) FROM mine"), ElementsAre("3"));
}

TEST(EngineMessages, GiveAdviceThatFitsHere) {
  const std::string memory = with_our_advice(
      "Out of Memory Error: could not allocate block of size 256.0 KiB (47.6 MiB/47.6 MiB used)\n"
      "Or set SET temp_directory='/path/to/tmp.tmp'\n");
  EXPECT_THAT(memory, HasSubstr("47.6 MiB used)\nThe query needs more"));
  EXPECT_THAT(memory, Not(HasSubstr("temp_directory")));
  EXPECT_EQ(with_our_advice("Binder Error: no\n\nLINE 1: x\n        ^"),
            "Binder Error: no\n\nLINE 1: x\n        ^");
  const std::string csv = with_our_advice(
      "Conversion Error: CSV Error on Line: 2\nOriginal Line: x\n\nPossible solutions:\n* a\n\n"
      "  file = a.csv\n  delimiter = ,\n");
  EXPECT_THAT(csv, HasSubstr("Original Line: x\n  file = a.csv\n"));
}

TEST(EngineMessages, CallCopiesWhatTheirObjectsAre) {
  const auto name = [](std::string_view path) -> std::optional<std::string> {
    if (path == "/cache/1-a.csv") return "b/a.csv";
    return std::nullopt;
  };
  EXPECT_EQ(with_object_names("in \"/cache/1-a.csv\", 'x' and '/cache/1-a.csv' it's", name),
            "in \"b/a.csv\", 'x' and 'b/a.csv' it's");
  EXPECT_EQ(with_object_names("bad\n  file = /cache/1-a.csv\n  x = 1", name),
            "bad\n  file = b/a.csv\n  x = 1");
}

}  // namespace
}  // namespace headrace
