#include "step/table_family.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>

#include "testing/step_kit.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using step_kit::World;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::string kFamily = "events_{type}";

class TableFamilyTest : public testing::Test {
 protected:
  TableFamilyTest() { config.name = kFamily, config.store = "lake", config.location = "t/{type}"; }

  /// A catalog and a sink as a fresh process has them.
  void restart() {
    sink.reset();
    catalog = std::make_unique<Catalog>(world.stores, std::vector{config}, world.clock,
                                        world.random, silent_log(), nullptr);
    TableFamilyOptions options;
    options.limits.only = only;
    options.tables = config.limit;
    options.folder = folder.path();
    sink = make_table_family_sink(kFamily, *catalog, world.services, std::move(options));
  }

  std::unique_ptr<Sink::Prepared> bring(std::vector<Event> events) {
    if (!sink) restart();
    auto prepared = world.await(sink->prepare(kFamily, "app", std::move(events)));
    if (!prepared->empty) world.await(sink->commit(*prepared));
    return prepared;
  }

  Event put(const std::string& name, Bytes body) {
    return world.put({"in", name}, std::move(body));
  }

  /// Rows by table.
  std::map<std::string, std::uint64_t> rows() {
    restart();
    std::map<std::string, std::uint64_t> all;
    for (const std::string& name : world.await(catalog->names())) {
      const auto snapshot = world.await(catalog->open(name).snapshot());
      for (const TableFile& file : snapshot->files) all[name] += file.rows.value();
    }
    return all;
  }

  World world;
  TempFolder folder;
  TableConfig config;
  std::set<std::string> only;
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<Sink> sink;
};

TEST_F(TableFamilyTest, OneObjectFeedsTheTablesOfItsRows) {
  bring({put("1", "{\"type\":\"a\",\"x\":1}\n{\"type\":\"b\"}\n{\"type\":\"a\",\"y\":2}\n"),
         put("2", "{\"type\":\"b\"}\n{\"type\":\"c\"}\n")});
  EXPECT_THAT(rows(), UnorderedElementsAre(Pair("events_a", 2u), Pair("events_b", 2u),
                                           Pair("events_c", 1u)));
  std::vector<std::string> columns;
  for (const Field& field : world.await(catalog->open("events_a").snapshot())->schema.fields) {
    columns.push_back(field.name);
  }
  EXPECT_THAT(columns, ElementsAre("type", "x", "y"));
  bring({put("3", "{\"type\":\"a\",\"z\":3}\n")});
  EXPECT_THAT(rows(), testing::Contains(Pair("events_a", 3u)));
}

TEST_F(TableFamilyTest, BadLinesAreToldByTheirLineInTheObject) {
  const auto prepared = bring(
      {put("1", "{\"type\":\"a\"}\nbroken\n{\"x\":1}\n\n{\"type\":\"b/c\"}\n{\"type\":\"a\"}\n")});
  EXPECT_THAT(rows(), ElementsAre(Pair("events_a", 2u)));
  const auto& dead = prepared->items.at(0).dead_lines;
  ASSERT_EQ(dead.size(), 3u);
  EXPECT_EQ(dead[0].text, "broken");
  EXPECT_EQ(dead[1].number, 3u);
  EXPECT_EQ(dead[2].number, 5u);
}

TEST_F(TableFamilyTest, FilesHaveStatisticsOfTheColumnsThatTheTableSays) {
  std::string wide = "{\"type\":\"a\"";
  for (int i = 0; i < 40; ++i) wide += ",\"k" + std::to_string(i) + "\":1";
  wide += "}\n";
  const auto stats_with = [&](std::map<std::string, std::string> properties) {
    config.location = "tables/" + std::to_string(properties.size()) +
                      (properties.empty() ? "" : properties.begin()->second) + "/{type}";
    config.properties = std::move(properties);
    restart();
    bring({put("1", wide)});  // Makes the table.
    bring({put("2", wide)});
    std::vector<std::string> stats;
    for (const TableFile& file : world.await(catalog->open("events_a").snapshot())->files) {
      stats.push_back(file.stats);
    }
    return stats;
  };
  using testing::Each;
  using testing::Not;
  EXPECT_THAT(stats_with({}), Each(AllOf(HasSubstr("\"k30\":0}"), Not(HasSubstr("k31")))));
  EXPECT_THAT(stats_with({{"delta.dataSkippingNumIndexedCols", "-1"}}),
              Each(HasSubstr("\"k39\":0}")));
  EXPECT_THAT(stats_with({{"delta.dataSkippingNumIndexedCols", "2"}}),
              Each(HasSubstr("\"nullCount\":{\"type\":0,\"k0\":0}")));
  EXPECT_THAT(stats_with({{"delta.dataSkippingStatsColumns", "k38"}}),
              Each(HasSubstr("\"minValues\":{\"k38\":1}")));
}

TEST_F(TableFamilyTest, RowsOfTablesThatAreNotListedAreLeftOutAndCounted) {
  only = {"events_b"};
  const auto prepared = bring({put("1", "{\"type\":\"a\"}\n{\"type\":\"b\"}\n{\"type\":\"a\"}\n")});
  EXPECT_EQ(prepared->left_out, 2u);
  EXPECT_THAT(prepared->items.at(0).dead_lines, IsEmpty());
  EXPECT_THAT(rows(), ElementsAre(Pair("events_b", 1u)));
}

TEST_F(TableFamilyTest, RowsBeyondTheFamilysLimitAreDeadLines) {
  config.limit = 2;
  const auto first = bring({put("1", "{\"type\":\"a\"}\n"), put("2", "{\"type\":\"b\"}\n"),
                            put("3", "{\"type\":\"c\"}\n")});
  EXPECT_TRUE(first->items.at(2).later);  // Two tables at a time.
  const auto second = bring({put("3", "{\"type\":\"a\"}\n{\"type\":\"c\"}\n")});
  ASSERT_EQ(second->items.at(0).dead_lines.size(), 1u);
  const DeadLine& dead = second->items.at(0).dead_lines[0];
  EXPECT_EQ(dead.number, 2u);
  EXPECT_EQ(dead.text, "{\"type\":\"c\"}");
  EXPECT_THAT(dead.reason, HasSubstr("its limit of 2 tables"));
  EXPECT_THAT(rows(), UnorderedElementsAre(Pair("events_a", 2u), Pair("events_b", 1u)));
}

/// A process dies at each call of the store in turn; the next one finds the plan, if there was one,
/// and goes on. Each row is in its table once.
TEST_F(TableFamilyTest, ARowIsInItsTableOnceWhereverTheProcessDied) {
  for (const auto kind : {StoreFault::Kind::kFailBefore, StoreFault::Kind::kFailAfter}) {
    bool failed = true;
    std::map<std::string, std::uint64_t> expected;
    for (std::uint64_t n = 1; failed; ++n) {
      std::string lines;
      for (int i = 0; i < 9; ++i) lines += fmt::format("{{\"type\":\"t{}\"}}\n", i % 3);
      const std::vector<Event> events = {put("1", lines), put("2", lines)};
      for (const char* type : {"events_t0", "events_t1", "events_t2"}) expected[type] += 6;
      const auto process = [this]() -> Sink& {
        restart();
        return *sink;
      };
      const World::CutShort cut = world.cut_short({.kind = kind, .call = {}, .key = {}, .first = n},
                                                  kFamily, events, process);
      failed = cut.died;
      if (!cut.again.empty()) bring(cut.again);
      ASSERT_EQ(rows(), expected) << "call " << n;
      ASSERT_LT(n, 300u);
    }
    // The tables go on being filled; the second half of the walk starts with what they hold.
    for (const ObjectInfo& info : run_task(world.lake->list("t", {.limit = 100'000})).objects) {
      run_task(world.lake->remove(info.key));
    }
  }
}

TEST_F(TableFamilyTest, ATableThatRefusesLetsTheOthersWaitForIt) {
  restart();
  auto prepared = world.await(
      sink->prepare(kFamily, "app", {put("1", "{\"type\":\"a\"}\n{\"type\":\"b\"}\n")}));
  world.faults.add(
      {.call = StoreCall::kPut, .key = "t/b/_delta_log", .error = ErrorKind::kInvalid});
  EXPECT_THROW(world.await(sink->commit(*prepared)), Error);
  try {
    world.await(sink->resolve(prepared->plan));
    ADD_FAILURE() << "a part of it is there";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    EXPECT_THAT(error.what(), HasSubstr("1 of 2 tables"));
  }
  world.faults.clear();
  EXPECT_TRUE(world.await(sink->resolve(prepared->plan)));
  EXPECT_THAT(rows(), UnorderedElementsAre(Pair("events_a", 1u), Pair("events_b", 1u)));
}

TEST_F(TableFamilyTest, AfterARefusalNothingElseOfABatchIsBegun) {
  restart();
  auto prepared = world.await(
      sink->prepare(kFamily, "app", {put("1", "{\"type\":\"a\"}\n{\"type\":\"b\"}\n")}));
  for (const ObjectInfo& file : run_task(world.lake->list("t", {.prefix = "a/"})).objects) {
    run_task(world.lake->remove(file.key));
  }
  EXPECT_FALSE(world.await(sink->resolve(prepared->plan)));
  EXPECT_THAT(rows(), IsEmpty());
}

}  // namespace
}  // namespace headrace
