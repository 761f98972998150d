#include "step/object_batch.h"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "testing/step_kit.h"

namespace headrace {
namespace {

using step_kit::World;
using testing::HasSubstr;

const ObjectKey kKey{"data", "in/a.jsonl"};
const Bytes kLines = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n";

class ObjectBatchTest : public testing::Test {
 protected:
  /// Reads the batch to its end.
  std::vector<ReadObject> read(std::vector<Event> events) {
    items.assign(events.size(), {});
    const std::vector<bool> left_out(events.size(), false);
    ObjectBatchReader reader(events, left_out, items, world.services, 1u << 30);
    std::vector<ReadObject> all;
    std::exception_ptr failure;
    auto body = [&]() -> Task<> {
      auto some = co_await reader.next();
      while (!some.empty()) {
        for (ReadObject& object : some) all.push_back(std::move(object));
        some = co_await reader.next();
      }
    };
    world.loop.restart();
    boost::asio::co_spawn(world.loop, body(), [&](std::exception_ptr error) { failure = error; });
    world.loop.run();
    if (failure) std::rethrow_exception(failure);
    return all;
  }

  World world;
  std::vector<Sink::Item> items;
};

TEST_F(ObjectBatchTest, GivesTheObjectsInTheOrderOfTheirEvents) {
  std::vector<Event> events;
  for (int i = 0; i < 100; ++i) {
    const std::string name = std::to_string(i);
    events.push_back(world.put({"data", name}, "{\"n\":" + name + "}"));
  }
  const auto objects = read(events);
  ASSERT_EQ(objects.size(), 100u);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    EXPECT_EQ(objects[i].index, i);
    EXPECT_EQ(objects[i].bytes, "{\"n\":" + std::to_string(i) + "}");
  }
}

TEST_F(ObjectBatchTest, DoesNotTakeABrokenConnectionForTheEnd) {
  const Event event = world.put(kKey, kLines);
  world.faults.add({.kind = StoreFault::Kind::kCutQuietly, .call = StoreCall::kGet, .times = 1});
  EXPECT_THAT(read({event}), testing::IsEmpty());
  ASSERT_TRUE(items[0].failed);
  EXPECT_EQ(items[0].failed->kind(), ErrorKind::kTransient);
  EXPECT_THAT(items[0].failed->what(), HasSubstr("the body ended at byte"));
}

TEST_F(ObjectBatchTest, OneUnreadableObjectLeavesTheOthers) {
  const std::vector<Event> events = {world.put({"data", "1"}, kLines),
                                     world.put({"data", "2"}, kLines)};
  world.faults.add({.call = StoreCall::kGet, .key = "data/1", .error = ErrorKind::kInvalid});
  const auto objects = read(events);
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].index, 1u);
  EXPECT_EQ(objects[0].bytes, kLines);
  ASSERT_TRUE(items[0].failed);
  EXPECT_EQ(items[0].failed->kind(), ErrorKind::kInvalid);
}

TEST_F(ObjectBatchTest, TellsWhatIsNotThereFromWhatChanged) {
  const Event gone = world.put({"data", "gone"}, kLines);
  run_task(world.lake->remove(gone.object));
  const Event changed = world.put({"data", "changed"}, kLines);
  world.put(changed.object, "{}");
  const Event empty = world.put({"data", "empty"}, "");
  EXPECT_THAT(read({gone, changed, empty}), testing::IsEmpty());
  EXPECT_EQ(items[0].result.outcome, Outcome::kGone);
  EXPECT_EQ(items[1].result.outcome, Outcome::kSuperseded);
  EXPECT_EQ(items[2].result.outcome, Outcome::kSkipped);
}

TEST_F(ObjectBatchTest, BringsOneLineAgainForADeadLetterOfALine) {
  Event event = world.put(kKey, kLines);
  event.line = Event::Line{.number = 2, .text = ""};
  const auto objects = read({event});
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].bytes, "{\"a\":2}");

  event.line->number = 4;
  EXPECT_THAT(read({event}), testing::IsEmpty());
  EXPECT_EQ(items[0].result.why, "the object has no such line any more");
}

}  // namespace
}  // namespace headrace
