#include "step/edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "testing/step_kit.h"

namespace headrace {
namespace {

using step_kit::World;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;
using testing::Pair;
using testing::SizeIs;

const ObjectKey kKey{"data", "in/a.jsonl"};

EditConfig blank_a() {
  EditConfig config;
  config.set["a"].text = "\"\"";
  return config;
}

class EditStepTest : public testing::Test {
 protected:
  StepResult run(TaskContext& context, const EditConfig& config = blank_a()) {
    return run_task(make_edit_step(config, world.services)->run(context));
  }
  /// The Error that a run ends in.
  Error failure(TaskContext& context, const EditConfig& config = blank_a()) {
    try {
      run(context, config);
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorKind::kBug, "nothing was thrown");
  }

  World world;
};

TEST_F(EditStepTest, RewritesTheObjectUnderItsKey) {
  auto task = World::task(world.put(kKey, "{\"a\":1}\n{\"b\":2}\n"));
  EXPECT_EQ(run(task).outcome, Outcome::kDone);
  EXPECT_EQ(world.body(kKey), "{\"a\":\"\"}\n{\"b\":2,\"a\":\"\"}\n");
}

TEST_F(EditStepTest, KeepsMetadataAndTags) {
  auto task = World::task(world.put(
      kKey, "{\"a\":1}", {.metadata = {{"owner", "me"}}, .tags = {{"k", "v"}}, .condition = {}}));
  run(task);
  const auto seen = world.see(kKey).value();
  EXPECT_THAT(seen.tags, ElementsAre(Pair("k", "v")));
  EXPECT_THAT(seen.metadata, testing::Contains(Pair("owner", "me")));
  EXPECT_THAT(seen.metadata, testing::Contains(Pair("headrace-by", "route")));
}

TEST_F(EditStepTest, AnnouncesItsWriteAndTellsWhatCameOfIt) {
  auto task = World::task(world.put(kKey, "{\"a\":1}"));
  run(task);
  EXPECT_THAT(world.self_writes.begun, ElementsAre("lake://data/in/a.jsonl"));
  EXPECT_THAT(world.self_writes.ended, ElementsAre(task.etag));
  EXPECT_EQ(run_task(world.lake->head(kKey))->etag, task.etag);
  EXPECT_THAT(world.see(kKey)->metadata, testing::Contains(Pair("headrace-write", "w1")));
}

TEST_F(EditStepTest, PacksTheSameWayAsItWas) {
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    auto task = World::task(world.put(kKey, step_kit::packed(compression, "{\"a\":1}\n")));
    EXPECT_EQ(run(task).outcome, Outcome::kDone);
    const Bytes body = world.body(kKey);
    EXPECT_EQ(detect_compression(body), compression);
    EXPECT_EQ(step_kit::unpacked(body), "{\"a\":\"\"}\n");
  }
}

TEST_F(EditStepTest, WritesNothingIfNothingChanges) {
  for (const Bytes& body : {Bytes("{\"a\":\"\"}\n"), step_kit::packed(Compression::kGzip, "")}) {
    auto task = World::task(world.put(kKey, body));
    const StepResult result = run(task);
    EXPECT_EQ(result.outcome, Outcome::kDone) << "the steps after it still run";
    EXPECT_EQ(result.why, "nothing to change");
    EXPECT_THAT(world.self_writes.begun, IsEmpty());
    EXPECT_EQ(run_task(world.lake->head(kKey))->etag, task.event.etag);
  }
}

TEST_F(EditStepTest, SkipsAnEmptyObject) {
  auto task = World::task(world.put(kKey, ""));
  EXPECT_EQ(run(task).outcome, Outcome::kSkipped);
}

TEST_F(EditStepTest, TellsAnObjectThatIsGone) {
  auto task = World::task(world.put(kKey, "{}"));
  run_task(world.lake->remove(kKey));
  EXPECT_EQ(run(task).outcome, Outcome::kGone);
}

TEST_F(EditStepTest, LeavesAnObjectThatChangedSinceItsEvent) {
  auto task = World::task(world.put(kKey, "{\"a\":1}"));
  world.put(kKey, "{\"a\":2}");
  EXPECT_EQ(run(task).outcome, Outcome::kSuperseded);
  EXPECT_EQ(world.body(kKey), "{\"a\":2}");
}

TEST_F(EditStepTest, WorksWithoutAnEtagInTheEvent) {
  Event event = world.put(kKey, "{\"a\":1}");
  event.etag.reset();
  auto task = World::task(event);
  EXPECT_EQ(run(task).outcome, Outcome::kDone);
  EXPECT_EQ(world.body(kKey), "{\"a\":\"\"}");
}

TEST_F(EditStepTest, SkipsTheEventOfItsOwnWrite) {
  auto task = World::task(world.put(kKey, "{\"a\":1}"));
  run(task);
  for (const bool with_etag : {true, false}) {
    Event echo = world.announce(kKey);
    if (!with_etag) echo.etag.reset();
    auto again = World::task(echo);
    EXPECT_EQ(run(again).outcome, Outcome::kSkipped);
  }
  EXPECT_THAT(world.self_writes.begun, SizeIs(1));
}

TEST_F(EditStepTest, WorksOnWhatAnotherRouteWrote) {
  auto first = World::task(world.put(kKey, "{\"a\":1}"), "first");
  run(first);
  EditConfig config;
  config.set["b"].text = "2";
  auto second = World::task(world.announce(kKey), "second");
  EXPECT_EQ(run(second, config).outcome, Outcome::kDone);
  EXPECT_EQ(world.body(kKey), "{\"a\":\"\",\"b\":2}");
}

TEST_F(EditStepTest, WorksOnACopyThatSomeoneElseMadeOfItsWrite) {
  auto task = World::task(world.put(kKey, "{\"a\":1}"));
  run(task);
  const ObjectKey copy{"data", "in/b.jsonl"};
  run_task(world.lake->copy(kKey, copy, {}));
  auto other = World::task(world.announce(copy));
  EXPECT_EQ(run(other).outcome, Outcome::kDone);
}

TEST_F(EditStepTest, OverwritesNothingThatCameWhileItWorked) {
  for (const std::string_view moment : {"tags", "put"}) {
    auto task = World::task(world.put(kKey, "{\"a\":1}"));
    world.hook().before = [&](std::string_view call) {
      if (call == moment) world.put(kKey, "{\"a\":\"newer\"}");
    };
    EXPECT_EQ(run(task).outcome, Outcome::kSuperseded);
    EXPECT_EQ(world.body(kKey), "{\"a\":\"newer\"}");
    EXPECT_THAT(world.self_writes.open, IsEmpty());
    EXPECT_EQ(world.self_writes.ended.back(), std::nullopt);
  }
}

TEST_F(EditStepTest, BringsNothingBackThatWasDeletedWhileItWorked) {
  auto task = World::task(world.put(kKey, "{\"a\":1}"));
  world.hook().before = [&](std::string_view call) {
    if (call == "put") run_task(world.lake->remove(kKey));
  };
  EXPECT_EQ(run(task).outcome, Outcome::kGone);
  EXPECT_EQ(world.see(kKey), std::nullopt);
}

TEST_F(EditStepTest, KnowsItsOwnWriteWhenThatLostAgainstItself) {
  auto task = World::task(world.put(kKey, "{\"a\":1}"));
  // A store below writes, loses the answer and tries again: the condition no longer holds.
  world.hook().before = [&](std::string_view call) {
    if (call != "put") return;
    const Metadata own = {{"headrace-by", "route"}, {"headrace-write", "w1"}};
    world.put(kKey, "{\"a\":\"\"}", {.metadata = own, .tags = {}, .condition = {}});
  };
  EXPECT_EQ(run(task).outcome, Outcome::kDone);
  EXPECT_EQ(task.etag, run_task(world.lake->head(kKey))->etag);
  EXPECT_THAT(world.self_writes.ended, ElementsAre(task.etag));
}

TEST_F(EditStepTest, LeavesTheAnnouncementOpenIfItCannotKnow) {
  auto task = World::task(world.put(kKey, "{\"a\":1}"));
  world.faults.add({.kind = StoreFault::Kind::kFailAfter, .call = StoreCall::kPut});
  EXPECT_EQ(failure(task).kind(), ErrorKind::kTransient);
  EXPECT_THAT(world.self_writes.open, SizeIs(1));
}

TEST_F(EditStepTest, KeepsABadLineAndMakesItADeadLine) {
  auto task = World::task(world.put(kKey, "{\"a\":1}\nbroken\n{\"a\":2}\n"));
  EXPECT_EQ(run(task).outcome, Outcome::kDone);
  EXPECT_EQ(world.body(kKey), "{\"a\":\"\"}\nbroken\n{\"a\":\"\"}\n");
  ASSERT_THAT(task.dead_lines, SizeIs(1));
  EXPECT_EQ(task.dead_lines[0].number, 2u);
  EXPECT_EQ(task.dead_lines[0].text, "broken");
  EXPECT_EQ(task.dead_lines[0].reason, "column 1: expected an object");
}

TEST_F(EditStepTest, TellsOfBadLinesAlsoWhenNothingChanges) {
  auto task = World::task(world.put(kKey, "broken\n"));
  EXPECT_EQ(run(task).outcome, Outcome::kDone);
  EXPECT_THAT(task.dead_lines, SizeIs(1));
  EXPECT_THAT(world.self_writes.begun, IsEmpty());
}

TEST_F(EditStepTest, TellsOfBadLinesAgainInASecondRun) {
  const Event event = world.put(kKey, "{\"a\":1}\nbroken\n");
  auto first = World::task(event);
  run(first);
  auto second = World::task(event);
  EXPECT_EQ(run(second).outcome, Outcome::kDone);
  EXPECT_THAT(second.dead_lines, SizeIs(1));
  EXPECT_THAT(world.self_writes.begun, SizeIs(1));
}

TEST_F(EditStepTest, CountsTheBadLinesItDoesNotShow) {
  std::string text;
  for (int i = 0; i < 1'500; ++i) text += "broken\n";
  auto task = World::task(world.put(kKey, text));
  run(task);
  ASSERT_THAT(task.dead_lines, SizeIs(1'000));
  EXPECT_THAT(task.dead_lines.back().reason, HasSubstr("and 500 more bad lines"));
}

TEST_F(EditStepTest, FailsAtABadLineIfToldSoAndWritesNothing) {
  EditConfig config = blank_a();
  config.on_bad_line = OnBadLine::kFail;
  const std::string text = "{\"a\":1}\n" + std::string(1 << 20, ' ') + "\nbroken\n";
  auto task = World::task(world.put(kKey, text));
  const Error error = failure(task, config);
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_STREQ(error.what(), "edit data/in/a.jsonl: line 3: column 1: expected an object");
  EXPECT_EQ(world.body(kKey), text);
  EXPECT_THAT(world.self_writes.open, IsEmpty());
}

TEST_F(EditStepTest, RefusesAnObjectWhosePackingIsCutShort) {
  Bytes bytes = step_kit::packed(Compression::kGzip, "{\"a\":1}\n");
  bytes.pop_back();
  auto task = World::task(world.put(kKey, bytes));
  const Error error = failure(task);
  EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(error.what(), HasSubstr("gzip ends early at byte"));
  EXPECT_EQ(world.body(kKey), bytes);
}

TEST_F(EditStepTest, DoesNotTakeABrokenConnectionForTheEnd) {
  const Bytes body = "{\"a\":1}\n" + Bytes(3 << 20, '\n');
  auto task = World::task(world.put(kKey, body));
  world.faults.add({.kind = StoreFault::Kind::kCutQuietly, .call = StoreCall::kGet, .times = 1});
  const Error error = failure(task);
  EXPECT_EQ(error.kind(), ErrorKind::kTransient);
  EXPECT_THAT(error.what(), HasSubstr("the body ended at byte"));
  EXPECT_EQ(world.body(kKey), body);
}

TEST_F(EditStepTest, ReadsALargeObjectTwiceIfTheChangeComesLate) {
  std::string text;
  while (text.size() < 10u << 20)
    text += "{\"a\":\"\",\"b\":\"" + std::string(1'000, 'x') + "\"}\n";
  auto task = World::task(world.put(kKey, text + "{\"a\":1}\n"));
  EXPECT_EQ(run(task).outcome, Outcome::kDone);
  EXPECT_EQ(world.body(kKey), text + "{\"a\":\"\"}\n");
  EXPECT_EQ(world.faults.calls(StoreCall::kGet), 2u + 1u) << "two of the step, one of the test";

  auto unchanged = World::task(world.put(kKey, text));
  EXPECT_EQ(run(unchanged).why, "nothing to change");
}

TEST_F(EditStepTest, LeavesALargeObjectThatChangesBetweenItsTwoReads) {
  std::string text;
  while (text.size() < 10u << 20)
    text += "{\"a\":\"\",\"b\":\"" + std::string(1'000, 'x') + "\"}\n";
  auto task = World::task(world.put(kKey, text + "{\"a\":1}\n"));
  int gets = 0;
  world.hook().before = [&](std::string_view call) {
    if (call == "get" && ++gets == 2) world.put(kKey, "{\"a\":\"newer\"}");
  };
  EXPECT_EQ(run(task).outcome, Outcome::kSuperseded);
  EXPECT_EQ(world.body(kKey), "{\"a\":\"newer\"}");
}

TEST_F(EditStepTest, DoesNotUndoWhatALaterEditOfItsTaskDid) {
  EditConfig drop;
  drop.remove = {"a"};
  EditConfig rename;
  rename.rename["b"] = "a";
  const Event event = world.put(kKey, "{\"a\":1,\"b\":2}\n");
  for (int round = 0; round < 2; ++round) {
    auto task = World::task(event);
    EXPECT_EQ(run(task, drop).outcome, Outcome::kDone);
    EXPECT_EQ(run(task, rename).outcome, Outcome::kDone);
    EXPECT_EQ(world.body(kKey), "{\"a\":2}\n") << "round " << round;
  }
  EXPECT_THAT(world.self_writes.begun, SizeIs(2));
}

TEST_F(EditStepTest, EditsAgainForADeadLineThatIsTriedAgain) {
  const Event event = world.put(kKey, "{\"a\":1}\nbroken\n");
  auto first = World::task(event);
  run(first);
  Event redriven = world.announce(kKey);
  redriven.line = Event::Line{2, "broken"};
  auto again = World::task(redriven);
  EXPECT_EQ(run(again).outcome, Outcome::kDone);
  EXPECT_THAT(again.dead_lines, SizeIs(1));
}

TEST(EditStep, IsRefusedWithEditsThatMakeNoSense) {
  World world;
  EXPECT_THROW(make_edit_step({}, world.services), Error);
}

}  // namespace
}  // namespace headrace
