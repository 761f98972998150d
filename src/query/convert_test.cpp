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

}  // namespace
}  // namespace headrace
