#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "step/copy.h"
#include "step/delete.h"
#include "step/move.h"
#include "step/tag.h"
#include "testing/step_kit.h"

namespace headrace {
namespace {

using step_kit::World;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const ObjectKey kKey{"data", "in/a.tar.gz"};
const ObjectKey kTarget{"data", "out/a.tar.gz"};

CopyConfig copy_to(std::string to, std::string bucket = "", std::string store = "") {
  return {{.to = std::move(to), .bucket = std::move(bucket), .store = std::move(store)}};
}
MoveConfig move_to(std::string to, bool overwrite = false) {
  return {{.to = std::move(to), .bucket = {}, .store = {}}, overwrite};
}

class TransferTest : public testing::Test {
 protected:
  StepResult run(Step& step, TaskContext& context) { return run_task(step.run(context)); }
  StepResult copy(TaskContext& context, const CopyConfig& config) {
    return run(*make_copy_step(config, world.services), context);
  }
  StepResult move(TaskContext& context, const MoveConfig& config = move_to("out/{filename}")) {
    return run(*make_move_step(config, world.services), context);
  }
  StepResult tag(TaskContext& context, const Tags& tags) {
    return run(*make_tag_step({tags}, world.services), context);
  }
  StepResult remove(TaskContext& context) {
    return run(*make_delete_step({}, world.services), context);
  }
  static Error failure(const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorKind::kBug, "nothing was thrown");
  }

  World world;
};

struct TargetCase {
  const char* name;
  std::string_view to;
  std::string_view key;
};

class TargetTest : public TransferTest, public testing::WithParamInterface<TargetCase> {};

TEST_P(TargetTest, IsBuiltFromTheFieldsOfTheKey) {
  Event event = world.put(kKey, "x");
  event.key_fields = {{"kind", "photo"}};
  auto task = World::task(event);
  copy(task, copy_to(std::string(GetParam().to)));
  EXPECT_EQ(world.body({"data", std::string(GetParam().key)}), "x");
}

INSTANTIATE_TEST_SUITE_P(Fields, TargetTest,
                         testing::Values(TargetCase{"OfTheTemplate", "{kind}/latest",
                                                    "photo/latest"},
                                         TargetCase{"Key", "copies/{key...}", "copies/in/a.tar.gz"},
                                         TargetCase{"Filename", "out/{filename}", "out/a.tar.gz"},
                                         TargetCase{"Name", "out/{name}", "out/a.tar.gz"},
                                         TargetCase{"Stem", "out/{stem}", "out/a.tar"},
                                         TargetCase{"Extension", "{extension}/a", "gz/a"}),
                         [](const auto& row) { return row.param.name; });

TEST_F(TransferTest, TheTemplatesOwnFieldsComeFirst) {
  Event event = world.put(kKey, "x");
  event.key_fields = {{"name", "given"}};
  auto task = World::task(event);
  copy(task, copy_to("out/{name}"));
  EXPECT_EQ(world.body({"data", "out/given"}), "x");
}

TEST_F(TransferTest, AMissingFieldIsToldWithThoseThatThereAre) {
  auto task = World::task(world.put({"data", "plain"}, "x"));
  const Error error = failure([&] { copy(task, copy_to("{extension}/x")); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error.what(), HasSubstr("copy data/plain: "));
  EXPECT_THAT(error.what(), HasSubstr("there are the fields filename, key, name, stem"));
}

TEST_F(TransferTest, CopyKeepsMetadataAndTagsAndTheTaskStaysWithItsObject) {
  auto task = World::task(
      world.put(kKey, "x", {.metadata = {{"owner", "me"}}, .tags = {{"k", "v"}}, .condition = {}}));
  EXPECT_EQ(copy(task, copy_to("out/{filename}")).outcome, Outcome::kDone);
  const auto seen = world.see(kTarget).value();
  EXPECT_THAT(seen.tags, ElementsAre(Pair("k", "v")));
  EXPECT_THAT(seen.metadata, Contains(Pair("owner", "me")));
  EXPECT_THAT(seen.metadata, Contains(Pair("headrace-by", "route")));
  EXPECT_EQ(task.object, kKey);
}

TEST_F(TransferTest, CopyGoesToOtherBucketsAndStores) {
  auto task = World::task(
      world.put(kKey, "x", {.metadata = {{"owner", "me"}}, .tags = {{"k", "v"}}, .condition = {}}));
  copy(task, copy_to("{key...}", "other"));
  EXPECT_EQ(world.body({"other", kKey.path}), "x");
  copy(task, copy_to("{key...}", "", "cold"));
  const auto seen = World::see(*world.cold, kKey).value();
  EXPECT_EQ(seen.body, "x");
  EXPECT_THAT(seen.tags, ElementsAre(Pair("k", "v")));
  EXPECT_THAT(seen.metadata, Contains(Pair("owner", "me")));
}

TEST_F(TransferTest, CopyReplacesWhatIsThereButCopiesTheSameBytesOnce) {
  world.put(kTarget, "old");
  const Event event = world.put(kKey, "new");
  auto task = World::task(event);
  copy(task, copy_to("out/{filename}"));
  EXPECT_EQ(world.body(kTarget), "new");
  auto again = World::task(event);
  EXPECT_EQ(copy(again, copy_to("out/{filename}")).why, "copied before");
}

TEST_F(TransferTest, NothingIsCopiedOrMovedOntoItself) {
  auto task = World::task(world.put(kKey, "x"));
  EXPECT_EQ(failure([&] { copy(task, copy_to("{key...}")); }).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(failure([&] { move(task, move_to("{key...}")); }).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(world.body(kKey), "x");
}

TEST_F(TransferTest, ACopyDoesNotTriggerItself) {
  auto task = World::task(world.put(kKey, "x"));
  copy(task, copy_to("in/{filename}.copy"));
  auto echo = World::task(world.announce({"data", "in/a.tar.gz.copy"}));
  EXPECT_EQ(copy(echo, copy_to("in/{filename}.copy")).outcome, Outcome::kSkipped);
  auto other = World::task(world.announce({"data", "in/a.tar.gz.copy"}), "other");
  EXPECT_EQ(copy(other, copy_to("x/{filename}")).outcome, Outcome::kDone);
}

TEST_F(TransferTest, AMovedObjectDoesNotTriggerItsRouteAgain) {
  auto task = World::task(world.put(kKey, "x"));
  move(task);
  auto echo = World::task(world.announce(kTarget));
  EXPECT_EQ(move(echo).outcome, Outcome::kSkipped);
  EXPECT_EQ(world.body(kTarget), "x");
}

TEST_F(TransferTest, MoveTakesTheObjectAndTheTaskAlong) {
  auto task =
      World::task(world.put(kKey, "x", {.metadata = {}, .tags = {{"k", "v"}}, .condition = {}}));
  EXPECT_EQ(move(task).outcome, Outcome::kDone);
  EXPECT_EQ(world.see(kKey), std::nullopt);
  EXPECT_EQ(world.body(kTarget), "x");
  EXPECT_EQ(task.object, kTarget);
  EXPECT_EQ(tag(task, {{"moved", "yes"}}).outcome, Outcome::kDone);
  EXPECT_THAT(world.see(kTarget)->tags, ElementsAre(Pair("k", "v"), Pair("moved", "yes")));
}

TEST_F(TransferTest, MoveTakesTheTaskToAnotherStore) {
  auto task = World::task(world.put(kKey, "x"));
  const MoveConfig config{{.to = "{key...}", .bucket = "b", .store = "cold"}, false};
  EXPECT_EQ(move(task, config).outcome, Outcome::kDone);
  EXPECT_EQ(tag(task, {{"moved", "yes"}}).outcome, Outcome::kDone);
  EXPECT_THAT(World::see(*world.cold, {"b", kKey.path})->tags, ElementsAre(Pair("moved", "yes")));
  EXPECT_EQ(world.see(kKey), std::nullopt);
}

TEST_F(TransferTest, MoveKeepsATargetWithOtherBytes) {
  world.put(kTarget, "precious");
  auto task = World::task(world.put(kKey, "x"));
  const Error error = failure([&] { move(task); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error.what(), HasSubstr("data/out/a.tar.gz is there already with other bytes"));
  EXPECT_EQ(world.body(kTarget), "precious");
  EXPECT_EQ(world.body(kKey), "x");
}

TEST_F(TransferTest, MoveReplacesATargetIfToldSo) {
  world.put(kTarget, "old");
  auto task = World::task(world.put(kKey, "x"));
  EXPECT_EQ(move(task, move_to("out/{filename}", true)).outcome, Outcome::kDone);
  EXPECT_EQ(world.body(kTarget), "x");
}

TEST_F(TransferTest, MoveTakesATargetWithTheSameBytesForDone) {
  const Bytes body(3 << 20, 'x');
  world.put(kTarget, body);
  auto task = World::task(world.put(kKey, body));
  EXPECT_EQ(move(task).outcome, Outcome::kDone);
  EXPECT_EQ(world.see(kKey), std::nullopt);
  EXPECT_EQ(world.body(kTarget), body);
}

TEST_F(TransferTest, NoBrokenConnectionIsTakenForTheEnd) {
  const Bytes body(3 << 20, 'x');
  world.put(kTarget, body);
  world.faults.add({.kind = StoreFault::Kind::kCutQuietly, .call = StoreCall::kGet});
  auto task = World::task(world.put(kKey, body));
  const auto over = [&] { copy(task, copy_to("{key...}", "", "cold")); };
  EXPECT_EQ(failure(over).kind(), ErrorKind::kTransient);
  const Error error = failure([&] { move(task); });
  EXPECT_EQ(error.kind(), ErrorKind::kTransient) << error.what();
  EXPECT_EQ(World::see(*world.cold, kKey), std::nullopt);
}

TEST_F(TransferTest, MoveDoesNotDeleteWhatCameAfterItCopied) {
  auto task = World::task(world.put(kKey, "x"));
  world.hook().before = [&](std::string_view call) {
    if (call == "remove") world.put(kKey, "newer");
  };
  EXPECT_EQ(move(task).outcome, Outcome::kSuperseded);
  EXPECT_EQ(world.body(kKey), "newer");
}

TEST_F(TransferTest, MoveTriesAgainIfSomeoneTakesTheTargetMeanwhile) {
  auto task = World::task(world.put(kKey, "x"));
  world.hook().before = [&](std::string_view call) {
    if (call == "copy") world.put(kTarget, "other");
  };
  EXPECT_EQ(failure([&] { move(task); }).kind(), ErrorKind::kConflict);
  EXPECT_EQ(world.body(kTarget), "other");
  EXPECT_EQ(world.body(kKey), "x");
}

TEST_F(TransferTest, GoneAndChangedObjectsAreTold) {
  const Event old = world.put(kKey, "x");
  world.put(kKey, "newer");
  for (const auto& act : std::vector<std::function<StepResult(TaskContext&)>>{
           [&](TaskContext& t) { return move(t); },
           [&](TaskContext& t) { return copy(t, copy_to("out/{filename}")); },
           [&](TaskContext& t) { return tag(t, {{"k", "v"}}); },
           [&](TaskContext& t) { return remove(t); }}) {
    auto task = World::task(old);
    EXPECT_EQ(act(task).outcome, Outcome::kSuperseded);
  }
  EXPECT_EQ(world.body(kKey), "newer");
  EXPECT_EQ(world.see(kTarget), std::nullopt);
  run_task(world.lake->remove(kKey));
  auto task = World::task(old);
  EXPECT_EQ(move(task).outcome, Outcome::kGone);
  EXPECT_EQ(copy(task, copy_to("out/{filename}")).outcome, Outcome::kGone);
  EXPECT_EQ(tag(task, {{"k", "v"}}).outcome, Outcome::kGone);
  EXPECT_EQ(remove(task).outcome, Outcome::kDone) << "what is to be gone is gone";
}

TEST_F(TransferTest, TagsAreAddedToThoseThereAre) {
  auto task = World::task(
      world.put(kKey, "x", {.metadata = {}, .tags = {{"a", "1"}, {"b", "2"}}, .condition = {}}));
  EXPECT_EQ(tag(task, {{"b", "3"}, {"c", "4"}}).outcome, Outcome::kDone);
  EXPECT_THAT(world.see(kKey)->tags, ElementsAre(Pair("a", "1"), Pair("b", "3"), Pair("c", "4")));
}

TEST_F(TransferTest, TagsThatAreThereAreNotWritten) {
  auto task =
      World::task(world.put(kKey, "x", {.metadata = {}, .tags = {{"a", "1"}}, .condition = {}}));
  EXPECT_EQ(tag(task, {{"a", "1"}}).outcome, Outcome::kDone);
  EXPECT_EQ(world.faults.calls(StoreCall::kSetTags), 0u);
}

TEST_F(TransferTest, ATagStepNeedsTags) {
  EXPECT_THROW(make_tag_step({}, world.services), Error);
  EXPECT_THROW(make_tag_step({{{"", "x"}}}, world.services), Error);
}

TEST_F(TransferTest, DeleteTakesTheObjectAway) {
  auto task = World::task(world.put(kKey, "x"));
  EXPECT_EQ(remove(task).outcome, Outcome::kDone);
  EXPECT_EQ(world.see(kKey), std::nullopt);
}

TEST_F(TransferTest, DeleteSparesWhatCameInTheMeantime) {
  auto task = World::task(world.put(kKey, "x"));
  world.hook().before = [&](std::string_view call) {
    if (call == "remove") world.put(kKey, "newer");
  };
  EXPECT_EQ(remove(task).outcome, Outcome::kSuperseded);
  EXPECT_EQ(world.body(kKey), "newer");
}

}  // namespace
}  // namespace headrace
