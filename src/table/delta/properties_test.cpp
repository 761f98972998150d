// Properties of a table that is there: set, taken away, and what that does to others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "table/delta/action_json.h"
#include "testing/delta_fixture.h"

namespace headrace::delta {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class PropertiesTest : public DeltaTableTest {
 protected:
  using Properties = std::map<std::string, std::optional<std::string>>;

  ChangeResult set(Table& table, Properties properties) {
    clock_.advance(std::chrono::seconds(1));
    return run_task(
        table.change({.operation = "SET TBLPROPERTIES", .properties = std::move(properties)}));
  }
  std::string refused(Table& table, Properties properties) {
    return refusal(ErrorKind::kInvalid, [&] { set(table, std::move(properties)); });
  }
  std::map<std::string, std::string> properties(Table& table) {
    return run_task(table.snapshot())->properties;
  }
};

TEST_F(PropertiesTest, AreSetAndTakenAwayOneByOne) {
  const auto table = open({.properties = {{"delta.checkpointInterval", "3"}, {"owner", "me"}}});
  append(*table, rows("app", 1));
  const Metadata before = *parse_commit(commit(0)).metadata;
  EXPECT_EQ(set(*table, {{"delta.appendOnly", "true"}, {"owner", "you"}}).version, 1);
  EXPECT_THAT(properties(*open()),
              ElementsAre(Pair("delta.appendOnly", "true"), Pair("delta.checkpointInterval", "3"),
                          Pair("owner", "you")));
  const Commit said = parse_commit(commit(1));
  EXPECT_EQ(said.info->operation, "SET TBLPROPERTIES");
  EXPECT_EQ(said.info->parameters,
            R"({"properties":"{\"delta.appendOnly\":\"true\",\"owner\":\"you\"}"})");
  EXPECT_EQ(said.metadata->id, before.id);
  EXPECT_EQ(said.metadata->schema_string, before.schema_string);
  EXPECT_EQ(set(*table, {{"delta.appendOnly", std::nullopt}, {"never", std::nullopt}}).version, 2);
  EXPECT_THAT(properties(*open()),
              ElementsAre(Pair("delta.checkpointInterval", "3"), Pair("owner", "you")));
  EXPECT_THAT(commit(2), HasSubstr(R"("ifExists":"true")"));
}

TEST_F(PropertiesTest, BindFromThenOn) {
  const auto table = open();
  append(*table, rows("app", 1));
  Change removal{.operation = "DELETE", .remove = {"app1"}, .read_version = 0};
  set(*table, {{"delta.appendOnly", "true"}});
  removal.read_version = 1;
  EXPECT_THAT(refusal(ErrorKind::kInvalid, [&] { run_task(table->change(removal)); }),
              HasSubstr("delta.appendOnly"));
  EXPECT_EQ(append(*table, rows("app", 2)).version, 2);
}

TEST_F(PropertiesTest, ThatAreSoAlreadyMakeNoVersion) {
  const auto table = open({.properties = {{"owner", "me"}}});
  append(*table, rows("app", 1));
  EXPECT_TRUE(set(*table, {{"owner", "me"}, {"other", std::nullopt}}).already_done);
  EXPECT_EQ(run_task(table->snapshot())->version, 0);
}

TEST_F(PropertiesTest, AreRefusedByName) {
  const auto table = open();
  EXPECT_THAT(refused(*table, {{"owner", "me"}}), HasSubstr("there is no table yet"));
  append(*table, rows("app", 1));
  EXPECT_THAT(refused(*table, {{"delta.appendOnyl", "true"}}),
              HasSubstr("no property delta.appendOnyl"));
  EXPECT_THAT(refused(*table, {{"delta.appendOnly", "yes"}}), HasSubstr("takes true or false"));
  // What is not known may hold the table together.
  EXPECT_THAT(refused(*table, {{"delta.columnMapping.mode", std::nullopt}}),
              HasSubstr("no property delta.columnMapping.mode"));
  EXPECT_EQ(run_task(table->snapshot())->version, 0);
}

TEST_F(PropertiesTest, StandInTheWayOfWhatWasDecidedBeforeAndOfNoAppend) {
  const auto table = open();
  append(*table, rows("app", 1));
  Change removal{.operation = "DELETE", .remove = {"app1"}, .read_version = 0};
  set(*open(), {{"delta.targetFileSize", "100MB"}});
  EXPECT_THAT(refusal(ErrorKind::kConflict, [&] { run_task(table->change(removal)); }),
              HasSubstr("columns or properties"));
  EXPECT_EQ(append(*table, rows("app", 2)).version, 2);
  EXPECT_EQ(target_file_size(*run_task(table->snapshot())), 100'000'000u);
}

TEST_F(PropertiesTest, OfTwoWritersAtOnceAllCount) {
  const auto one = open();
  const auto other = open();
  append(*one, rows("app", 1));
  run_task(other->snapshot());
  set(*one, {{"a", "1"}});
  set(*other, {{"b", "2"}});
  EXPECT_THAT(properties(*one), ElementsAre(Pair("a", "1"), Pair("b", "2")));
}

TEST_F(PropertiesTest, NeedAFeatureWhereWritersHeedOnlyWhatIsListed) {
  put_commit(0, R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":[],)"
                R"("writerFeatures":["invariants"]}})"
                "\n"
                R"({"metaData":{"id":"x","format":{"provider":"parquet","options":{}},)"
                R"("schemaString":"{\"type\":\"struct\",\"fields\":[]}",)"
                R"("partitionColumns":[],"configuration":{}}})");
  const auto table = open();
  set(*table, {{"delta.checkpointInterval", "5"}});
  EXPECT_THAT(commit(1), Not(HasSubstr("\"protocol\"")));
  set(*table, {{"delta.appendOnly", "true"}});
  EXPECT_THAT(*parse_commit(commit(2)).protocol->writer_features,
              ElementsAre("invariants", "appendOnly"));
}

}  // namespace
}  // namespace headrace::delta
