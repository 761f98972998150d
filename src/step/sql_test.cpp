#include "step/sql.h"

#include <gmock/gmock.h>

#include "stack/document.h"
#include "stack/spec.h"
#include "testing/step_kit.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using step_kit::packed;
using step_kit::unpacked;
using step_kit::World;
using testing::HasSubstr;
using testing::StartsWith;

const ObjectKey kKey{"data", "in/a.jsonl"};
const std::string kCount = "select a, count(*) as n from input group by a order by a";

class SqlTest : public testing::Test {
 protected:
  std::unique_ptr<Step> sql(std::string query, std::string to, std::string format = "") {
    SqlConfig config;
    config.query = std::move(query);
    config.to = std::move(to);
    config.format = std::move(format);
    return make_sql_step(config, folder.path(), world.services);
  }
  StepResult run(Step& step, const Event& event, const char* route = "route") {
    context = World::task(event, route);
    return run_task(step.run(context));
  }
  bool tidy() const {
    return std::filesystem::directory_iterator(folder.path()) ==
           std::filesystem::directory_iterator();
  }

  World world;
  TempFolder folder;
  TaskContext context;
};

TEST_F(SqlTest, WritesWhatTheQueryMakesOfTheRows) {
  const Event event = world.put(kKey, "{\"a\":\"x\"}\n{\"a\":\"y\"}\n{\"a\":\"x\",\"b\":1}\n");
  struct Case {
    const char* ending;
    const char* expected;
  };
  for (const Case& row : {Case{".jsonl", "{\"a\":\"x\",\"n\":2}\n{\"a\":\"y\",\"n\":1}\n"},
                          Case{".csv", "a,n\nx,2\ny,1\n"}, Case{".csv.gz", "a,n\nx,2\ny,1\n"},
                          Case{".jsonl.zst", "{\"a\":\"x\",\"n\":2}\n{\"a\":\"y\",\"n\":1}\n"}}) {
    const auto step = sql(kCount, std::string("out/{stem}") + row.ending);
    EXPECT_EQ(run(*step, event).outcome, Outcome::kDone);
    EXPECT_EQ(unpacked(world.body({"data", std::string("out/a") + row.ending})), row.expected);
  }
  EXPECT_EQ(run(*sql(kCount, "cold://out/{stem}.parquet"), event).outcome, Outcome::kDone);
  const auto parquet = World::see(*world.cold, {"out", "a.parquet"}).value().body;
  EXPECT_THAT(parquet, StartsWith("PAR1"));
  EXPECT_TRUE(tidy());
}

TEST_F(SqlTest, ReadsObjectsOfAllFormatsPackedOrNot) {
  const auto step = sql("select sum(a) as s from input", "out/{filename}.csv");
  const std::pair<std::string, Bytes> objects[] = {
      {"a.csv", "a,b\n1,x\n2,y\n"},
      {"b.jsonl.gz", packed(Compression::kGzip, "{\"a\":1}\n{\"a\":2}\n")},
      {"c.json", "[{\"a\":1},\n {\"a\":2}]"},
      {"d", packed(Compression::kZstd, "{\"a\":1}\n{\"a\":2}\n")}};
  for (const auto& [name, body] : objects) {
    const Event event = world.put({"data", name}, body);
    EXPECT_EQ(run(*step, event).outcome, Outcome::kDone) << name;
    EXPECT_EQ(world.body({"data", "out/" + name + ".csv"}), "s\n3\n") << name;
  }
  const auto to_parquet = sql("from input", "out/p.parquet");
  run(*to_parquet, world.put({"data", "e"}, "{\"a\":7}\n"));
  run(*step, world.announce({"data", "out/p.parquet"}), "another");
  EXPECT_EQ(world.body({"data", "out/p.parquet.csv"}), "s\n7\n");
  run(*sql("select a from input", "out/named.csv", "csv"), world.put({"data", "f"}, "a\n5\n"));
  EXPECT_EQ(world.body({"data", "out/named.csv"}), "a\n5\n");
}

TEST_F(SqlTest, ABadLineIsADeadLineAlsoWhenTheWorkIsDoneAlready) {
  const Event event = world.put(kKey, "{\"a\":1}\nbroken\n{\"a\":2}\n");
  const auto step = sql(kCount, "out/{stem}.csv");
  for (int i = 0; i < 2; ++i) {
    run(*step, event);
    ASSERT_EQ(context.dead_lines.size(), 1u);
    EXPECT_EQ(context.dead_lines[0].number, 2u);
    EXPECT_EQ(context.dead_lines[0].text, "broken");
  }
  EXPECT_EQ(world.faults.calls(StoreCall::kPut), 2u);  // The object, the result.
  EXPECT_EQ(world.body({"data", "out/a.csv"}), "a,n\n1,1\n2,1\n");
}

TEST_F(SqlTest, AnotherQueryOrOtherBytesAreWorkedOn) {
  run(*sql(kCount, "out/r.csv"), world.put(kKey, "{\"a\":1}\n"));
  run(*sql("select 5 as five", "out/r.csv"), world.announce(kKey));
  EXPECT_EQ(world.body({"data", "out/r.csv"}), "five\n5\n");
  run(*sql(kCount, "out/r.csv"), world.put(kKey, "{\"a\":2}\n"));
  EXPECT_EQ(world.body({"data", "out/r.csv"}), "a,n\n2,1\n");
}

TEST_F(SqlTest, WhatIsNotThereAsTheEventToldIsLeftAlone) {
  const auto step = sql(kCount, "out/{stem}.csv");
  const Event gone = world.put({"data", "gone"}, "{}\n");
  run_task(world.lake->remove(gone.object));
  EXPECT_EQ(run(*step, gone).outcome, Outcome::kGone);
  const Event changed = world.put({"data", "changed"}, "{\"a\":1}\n");
  world.put(changed.object, "{\"a\":2}\n");
  EXPECT_EQ(run(*step, changed).outcome, Outcome::kSuperseded);
  EXPECT_EQ(run(*step, world.put({"data", "empty"}, "")).outcome, Outcome::kSkipped);
  EXPECT_EQ(run(*step, world.put({"data", "blank"}, "\n\n")).outcome, Outcome::kSkipped);
}

TEST_F(SqlTest, TellsWhatTheEngineSays) {
  const Event event = world.put(kKey, "{\"a\":1}\n");
  const auto message = [&](const std::string& query) -> std::string {
    try {
      run(*sql(query, "out/{stem}.csv"), event);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << error.what();
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message("select b from input"), HasSubstr("sql over data/in/a.jsonl"));
  EXPECT_THAT(message("select b from input"), HasSubstr("\"b\" not found"));
  EXPECT_THAT(message("select a::date from input"), HasSubstr("onver"));
  EXPECT_TRUE(tidy());
}

TEST_F(SqlTest, TheQuerySeesNothingButItsInput) {
  folder.write("secret.csv", "a\n1\n");
  const Event event = world.put(kKey, "{\"a\":1}\n");
  const std::string query = "select * from read_csv('" + folder.path() + "/secret.csv')";
  EXPECT_THROW(run(*sql(query, "out/{stem}.csv"), event), Error);
  EXPECT_FALSE(world.see({"data", "out/a.csv"}));
}

std::string errors_of(std::string yaml) {
  stack::Document document("headrace.yaml", std::move(yaml), stack::machine_environment());
  document.read(sql_spec());
  return document.diagnostics().text();
}

TEST(SqlSpec, TellsWhatCannotWorkBeforeAnythingRuns) {
  EXPECT_EQ(errors_of("query: \"select a from input; -- all\"\nto: \"lake://out/{stem}.csv\"\n"),
            "");
  EXPECT_EQ(errors_of("query: from input\ninto: people\n"), "");
  EXPECT_EQ(errors_of("query: \"with x as (from input) select * from x\"\nto: a.json.gz\n"), "");
  EXPECT_THAT(errors_of("select 1"), HasSubstr("needs either `to`"));
  EXPECT_THAT(errors_of("query: from input\nto: a.csv\ninto: b\n"), HasSubstr("needs either `to`"));
  EXPECT_THAT(errors_of("query: selec 1\nto: a.csv\n"), HasSubstr("syntax error at or near"));
  EXPECT_THAT(errors_of("query: \"drop table x\"\nto: a.csv\n"), HasSubstr("one SELECT"));
  EXPECT_THAT(errors_of("query: \"select 1; select 2\"\nto: a.csv\n"), HasSubstr("one SELECT"));
  EXPECT_THAT(errors_of("query: from input\nto: \"out/{filename}\"\n"),
              HasSubstr("does not tell the result's format"));
  EXPECT_THAT(errors_of("query: from input\nto: a.csv\nformat: orc\n"), HasSubstr("is none of"));
}

}  // namespace
}  // namespace headrace
