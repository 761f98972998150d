#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "step/copy.h"
#include "step/delete.h"
#include "step/edit.h"
#include "step/move.h"
#include "step/sql.h"
#include "step/tag.h"
#include "testing/step_kit.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using step_kit::World;

const ObjectKey kKey{"data", "in/a.jsonl"};

using Steps = std::vector<std::unique_ptr<Step>>;

std::unique_ptr<Step> edit(const StepServices& services, std::string path, std::string value) {
  EditConfig config;
  config.set[std::move(path)].text = std::move(value);
  return make_edit_step(config, services);
}
std::unique_ptr<Step> tag(const StepServices& services) {
  return make_tag_step({{{"processed", "true"}}}, services);
}
std::unique_ptr<Step> move(const StepServices& services, std::string store = "") {
  return make_move_step({{.to = "out/{filename}", .bucket = {}, .store = std::move(store)}, false},
                        services);
}
std::unique_ptr<Step> copy(const StepServices& services, std::string store = "") {
  return make_copy_step({{.to = "out/{filename}", .bucket = {}, .store = std::move(store)}},
                        services);
}

std::unique_ptr<Step> sql(const StepServices& services, std::string to) {
  static const TempFolder folder;
  SqlConfig config;
  config.query = "select a + 1 as a from input";
  config.to = std::move(to);
  return make_sql_step(config, folder.path(), services);
}

template <class... Some>
Steps steps_of(Some... some) {
  Steps steps;
  (steps.push_back(std::move(some)), ...);
  return steps;
}

/// One row: the steps of a route.
struct RouteCase {
  const char* name;
  Steps (*make)(const StepServices& services);
};
void PrintTo(const RouteCase& row, std::ostream* out) { *out << row.name; }

const RouteCase kRoutes[] = {
    {"Edit", [](const StepServices& s) { return steps_of(edit(s, "a", "0")); }},
    {"EditThenTag", [](const StepServices& s) { return steps_of(edit(s, "a", "0"), tag(s)); }},
    {"TwoEdits",
     [](const StepServices& s) { return steps_of(edit(s, "a", "0"), edit(s, "b", "1")); }},
    {"Tag", [](const StepServices& s) { return steps_of(tag(s)); }},
    {"Copy", [](const StepServices& s) { return steps_of(copy(s)); }},
    {"CopyToAnotherStore", [](const StepServices& s) { return steps_of(copy(s, "cold")); }},
    {"Move", [](const StepServices& s) { return steps_of(move(s)); }},
    {"MoveToAnotherStore", [](const StepServices& s) { return steps_of(move(s, "cold")); }},
    {"MoveThenTag", [](const StepServices& s) { return steps_of(move(s), tag(s)); }},
    {"MoveThenEdit", [](const StepServices& s) { return steps_of(move(s), edit(s, "a", "0")); }},
    {"EditTagMove",
     [](const StepServices& s) { return steps_of(edit(s, "a", "0"), tag(s), move(s)); }},
    {"Sql", [](const StepServices& s) { return steps_of(sql(s, "out/{stem}.jsonl")); }},
    {"SqlToAnotherStore",
     [](const StepServices& s) { return steps_of(sql(s, "cold://out/{stem}.csv")); }},
    {"EditThenSql",
     [](const StepServices& s) { return steps_of(edit(s, "a", "0"), sql(s, "out/{stem}.jsonl")); }},
    {"CopyThenDelete",
     [](const StepServices& s) { return steps_of(copy(s), make_delete_step({}, s)); }},
};

/// Runs the steps as a task does; the last outcome.
StepResult run(World& world, const RouteCase& route, const Event& event) {
  const Steps steps = route.make(world.services);
  auto task = World::task(event);
  StepResult result;
  for (const auto& step : steps) {
    result = run_task(step->run(task));
    if (result.outcome != Outcome::kDone) break;
  }
  return result;
}

class RerunTest : public testing::TestWithParam<RouteCase> {
 protected:
  static Event begin(World& world) {
    return world.put(kKey, "{\"a\":1}\n",
                     {.metadata = {{"owner", "me"}}, .tags = {{"k", "v"}}, .condition = {}});
  }
};

TEST_P(RerunTest, ASecondRunChangesNothing) {
  World world;
  const Event event = begin(world);
  EXPECT_EQ(run(world, GetParam(), event).outcome, Outcome::kDone);
  const auto after = world.all();
  const Outcome again = run(world, GetParam(), event).outcome;
  EXPECT_EQ(world.all(), after);
  EXPECT_NE(again, Outcome::kSuperseded);
}

/// Each call of each store fails once, before or after it did its work, as if the process had died
/// there; the task runs again and must come to the same end.
TEST_P(RerunTest, ComesToTheSameEndWhereverItWasCutShort) {
  World calm;
  ASSERT_EQ(run(calm, GetParam(), begin(calm)).outcome, Outcome::kDone);
  const auto expected = calm.all();
  for (const auto kind : {StoreFault::Kind::kFailBefore, StoreFault::Kind::kFailAfter}) {
    for (const bool cold : {false, true}) {
      bool failed = true;
      for (std::uint64_t n = 1; failed; ++n) {
        World world;
        const Event event = begin(world);
        FaultStore& faults = cold ? world.cold_faults : world.faults;
        faults.add({.kind = kind, .call = {}, .key = {}, .probability = 1, .first = n, .times = 1});
        failed = false;
        try {
          run(world, GetParam(), event);
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kTransient) << error.what();
          failed = true;
        }
        faults.clear();
        run(world, GetParam(), event);
        EXPECT_EQ(world.all(), expected) << "call " << n << " failed";
        ASSERT_LT(n, 100u);
        if (!cold && n == 1) ASSERT_TRUE(failed);
      }
    }
  }
}

TEST_P(RerunTest, ComesToTheSameEndWhenItsAnnouncementsFail) {
  World calm;
  ASSERT_EQ(run(calm, GetParam(), begin(calm)).outcome, Outcome::kDone);
  for (int n = 1; n <= static_cast<int>(2 * calm.self_writes.begun.size()); ++n) {
    World world;
    const Event event = begin(world);
    world.self_writes.fail_at = n;
    EXPECT_THROW(run(world, GetParam(), event), Error);
    run(world, GetParam(), event);
    EXPECT_EQ(world.all(), calm.all()) << "announcement " << n << " failed";
  }
}

TEST_P(RerunTest, DoesNotTakeUpWhatItMadeItself) {
  World world;
  run(world, GetParam(), begin(world));
  const auto after = world.all();
  for (const auto& [url, seen] : after) {
    if (!url.starts_with("lake://") || !seen.metadata.contains(kWrittenBy)) continue;
    const StoreUrl where = parse_store_url(url);
    EXPECT_EQ(run(world, GetParam(), world.announce(where.object)).outcome, Outcome::kSkipped);
  }
  EXPECT_EQ(world.all(), after);
}

INSTANTIATE_TEST_SUITE_P(Routes, RerunTest, testing::ValuesIn(kRoutes),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace headrace
