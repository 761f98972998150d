#include "table/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "store/memory/memory_store.h"
#include "testing/manual_clock.h"
#include "testing/refusal.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CatalogTest : public testing::Test {
 protected:
  CatalogTest() {
    auto store = make_memory_store(clock_);
    lake_ = store.get();
    stores_.add("lake", std::move(store));
  }

  Catalog catalog(std::vector<TableConfig> tables) {
    return {stores_, std::move(tables), clock_, random_, silent_log(), nullptr};
  }
  static TableConfig table(std::string name, std::string location) {
    TableConfig config;
    config.name = std::move(name);
    config.store = "lake";
    config.location = std::move(location);
    return config;
  }
  static void append_one(Table& table) {
    Append append{.app_id = "app", .seq = 1, .schema = {}, .files = {}};
    Field field;
    field.name = "a";
    append.schema.fields.push_back(field);
    append.files.push_back({.path = table.new_data_path({}), .size = 1, .rows = 1});
    run_task(table.append(std::move(append)));
  }
  template <class Work>
  static std::string refusal(const Work& work) {
    return headrace::refusal(ErrorKind::kInvalid, work);
  }

  ManualClock clock_;
  SeededRandom random_{1};
  Stores stores_;
  Store* lake_ = nullptr;
};

TEST_F(CatalogTest, OpensTheTableOfAName) {
  Catalog tables = catalog({table("people", "data/tables/people/")});
  EXPECT_EQ(tables.open("people").key_of("f"), (ObjectKey{"data", "tables/people/f"}));
  EXPECT_EQ(&tables.open("people"), &tables.open("people"));
}

TEST_F(CatalogTest, OpensMembersOfAFamilyWhereTheirFieldsSay) {
  Catalog tables = catalog({table("events_{type}", "data/events/{type}")});
  EXPECT_EQ(tables.name_for("events_{type}", {{"type", "push"}}), "events_push");
  EXPECT_EQ(tables.open("events_push").key_of("f"), (ObjectKey{"data", "events/push/f"}));
  EXPECT_EQ(tables.config_of("events_push")->name, "events_{type}");
  EXPECT_EQ(tables.config_of("others"), nullptr);
}

TEST_F(CatalogTest, MakesTablesWithThePropertiesOfTheirStack) {
  TableConfig config = table("people", "data/people");
  config.properties = {{"delta.appendOnly", "true"}};
  Catalog tables = catalog({config});
  append_one(tables.open("people"));
  EXPECT_EQ(run_task(tables.open("people").snapshot())->properties, config.properties);
}

TEST_F(CatalogTest, RefusesANameThatNoTableHasAndSaysWhichThereAre) {
  Catalog tables = catalog({table("people", "data/people"), table("e_{t}", "data/e/{t}")});
  EXPECT_THAT(refusal([&] { tables.open("peple"); }),
              HasSubstr("no table 'peple' in the stack; it has: people, e_{t}"));
  EXPECT_THAT(refusal([&] { tables.name_for("nobody", {}); }), HasSubstr("no table 'nobody'"));
  EXPECT_THAT(refusal([&] { tables.name_for("e_{t}", {}); }), HasSubstr("t"));
}

TEST_F(CatalogTest, RefusesMoreMembersThanAFamilyMayHave) {
  TableConfig family = table("e_{t}", "data/e/{t}");
  family.limit = 2;
  Catalog tables = catalog({family});
  tables.open("e_a");
  tables.open("e_b");
  tables.open("e_a");
  EXPECT_THAT(refusal([&] { tables.open("e_c"); }), HasSubstr("limit of 2"));
}

TEST_F(CatalogTest, RefusesALocationThatIsNoBucketAndPrefix) {
  Catalog tables = catalog({table("people", "people")});
  EXPECT_THAT(refusal([&] { tables.open("people"); }), HasSubstr("expected bucket/prefix"));
}

TEST_F(CatalogTest, FindsTheTablesThatExist) {
  Catalog tables = catalog({table("people", "data/people"), table("absent", "data/absent"),
                            table("e_{t}_{u}", "data/e/{t}/{u}")});
  append_one(tables.open("people"));
  append_one(tables.open("e_push_x"));
  append_one(tables.open("e_pull_y"));
  run_task(lake_->put({"data", "e/no/table/here.json"}, "{}"));
  EXPECT_THAT(run_task(tables.names()), ElementsAre("e_pull_y", "e_push_x", "people"));
  EXPECT_THAT(run_task(catalog({table("e_{t}_{u}", "data/e/{t}/{u}")}).names()),
              ElementsAre("e_pull_y", "e_push_x"));
}

}  // namespace
}  // namespace headrace
