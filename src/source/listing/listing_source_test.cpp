#include "source/listing/listing_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "core/error.h"
#include "store/memory/memory_store.h"
#include "testing/fake_source_memory.h"
#include "testing/fault_store.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

class ListingSourceTest : public testing::Test {
 protected:
  ListingSourceTest() { restart(); }

  void restart(std::optional<Duration> every = std::nullopt, std::size_t parallel = 1) {
    ListingOptions options;
    options.name = "landing";
    options.store = "lake";
    options.bucket = "bucket";
    options.prefix = "in/";
    options.every = every;
    options.parallel = parallel;
    const KeyMatcher matcher = [](std::string_view key) -> std::optional<KeyFields> {
      if (!key.ends_with(".json")) return std::nullopt;
      return KeyFields{{"name", std::string(key.substr(3, key.size() - 8))}};
    };
    source_ = make_listing_source(options, store_, matcher, memory_, clock_, random_, silent_log());
  }

  void put(const std::string& path, Bytes body = "x") {
    run_task(store_.put(ObjectKey{"bucket", path}, std::move(body)));
  }
  /// Everything the source gives until it ends, acknowledged; the keys in order.
  std::vector<std::string> drain(bool acknowledge = true) {
    source_->drain();
    std::vector<std::string> keys;
    while (auto batch = run_task(source_->next())) {
      EXPECT_LE(batch->events.size(), 256u);
      EXPECT_FALSE(batch->events.empty());
      for (const Event& event : batch->events) keys.push_back(event.object.path);
      if (acknowledge) run_task(source_->ack(batch->receipt));
    }
    return keys;
  }

  ManualClock clock_;
  SeededRandom random_{1};
  FakeSourceMemory memory_;
  FaultStore store_{make_memory_store(clock_), clock_, 1};
  std::unique_ptr<Source> source_;
};

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(ListingSourceTest, GivesEachObjectAsAnEvent) {
  put("in/a.json", "12345");
  const auto batch = run_task(source_->next());
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->events.size(), 1u);
  const Event& event = batch->events[0];
  const auto info = run_task(store_.head({"bucket", "in/a.json"}));
  EXPECT_EQ(event.kind, EventKind::kCreated);
  EXPECT_EQ(event.detail_type, "Object Created");
  EXPECT_EQ(event.object, info->key);
  EXPECT_EQ(event.size, 5u);
  EXPECT_EQ(event.etag, info->etag);
  EXPECT_EQ(event.time, info->modified);
  EXPECT_EQ(event.store, "lake");
  EXPECT_EQ(event.origin, "landing");
  EXPECT_EQ(event.producer, "listing");
  EXPECT_EQ(event.key_fields, (KeyFields{{"name", "a"}}));
  EXPECT_EQ(event.id.size(), 36u);
}

TEST_F(ListingSourceTest, LeavesOutOtherPrefixesAndKeysOfAnotherShape) {
  for (const char* path : {"in/a.json", "in/b.txt", "other/c.json"}) put(path);
  EXPECT_THAT(drain(), ElementsAre("in/a.json"));
}

TEST_F(ListingSourceTest, GivesManyObjectsInBatches) {
  for (int i = 0; i < 1000; ++i) put(fmt::format("in/{:04}.json", i));
  EXPECT_EQ(drain().size(), 1000u);
}

TEST_F(ListingSourceTest, GivesOnlyWhatIsNewAfterARestart) {
  put("in/b.json");
  put("in/c.json");
  EXPECT_THAT(drain(), ElementsAre("in/b.json", "in/c.json"));
  // A late key that sorts first, a new content, and one that is gone.
  put("in/a.json");
  put("in/c.json", "changed");
  run_task(static_cast<Store&>(store_).remove({"bucket", "in/b.json"}));
  restart();
  EXPECT_THAT(drain(), ElementsAre("in/a.json", "in/c.json"));
  restart();
  EXPECT_THAT(drain(), IsEmpty());
}

TEST_F(ListingSourceTest, GivesAgainWhatWasNotAcknowledged) {
  put("in/a.json");
  EXPECT_THAT(drain(false), ElementsAre("in/a.json"));
  EXPECT_THAT(drain(), IsEmpty());
  restart();
  EXPECT_THAT(drain(), ElementsAre("in/a.json"));
}

TEST_F(ListingSourceTest, ListsAgainEverySoOften) {
  restart(std::chrono::minutes(1));
  put("in/a.json");
  boost::asio::io_context loop;
  std::vector<std::string> keys;
  bool ended = false;
  boost::asio::co_spawn(
      loop,
      [&]() -> Task<> {
        while (auto batch = co_await source_->next()) {
          for (const Event& event : batch->events) keys.push_back(event.object.path);
          co_await source_->ack(batch->receipt);
        }
        ended = true;
      },
      boost::asio::detached);
  loop.poll();
  EXPECT_THAT(keys, ElementsAre("in/a.json"));
  put("in/b.json");
  clock_.advance(std::chrono::seconds(59));
  loop.poll();
  EXPECT_THAT(keys, ElementsAre("in/a.json"));
  clock_.advance(std::chrono::seconds(1));
  loop.poll();
  EXPECT_THAT(keys, ElementsAre("in/a.json", "in/b.json"));
  // Draining wakes it, and what is there by then is given.
  put("in/c.json");
  source_->drain();
  loop.poll();
  EXPECT_THAT(keys, ElementsAre("in/a.json", "in/b.json", "in/c.json"));
  EXPECT_TRUE(ended);
}

TEST_F(ListingSourceTest, GoesOnAfterAFailedListing) {
  StoreFault fault;
  fault.call = StoreCall::kList;
  fault.times = 1;
  store_.add(fault);
  put("in/a.json");
  EXPECT_THROW(run_task(source_->next()), Error);
  EXPECT_THAT(drain(), ElementsAre("in/a.json"));
}

TEST_F(ListingSourceTest, ListsFoldersBesideEachOtherAndGivesEachObjectOnce) {
  std::vector<std::string> keys;
  for (int folder = 0; folder < 60; ++folder) {
    for (int i = 0; i < 5; ++i) keys.push_back(fmt::format("in/{:02}/{}/x.json", folder, i));
    keys.push_back(fmt::format("in/{:02}.json", folder));
  }
  for (const std::string& key : keys) put(key);
  for (const std::size_t parallel : {2u, 3u, 8u, 64u}) {
    memory_ = FakeSourceMemory();
    restart(std::nullopt, parallel);
    EXPECT_THAT(drain(), testing::UnorderedElementsAreArray(keys)) << parallel;
    restart(std::nullopt, parallel);
    EXPECT_THAT(drain(), IsEmpty()) << parallel;
  }
}

TEST_F(ListingSourceTest, ListsAPartAgainThatFailedBesideOthers) {
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back(fmt::format("in/{}/{:02}.json", i % 7, i));
  for (const std::string& key : keys) put(key);
  StoreFault fault;
  fault.call = StoreCall::kList;
  fault.times = 5;
  store_.add(fault);
  restart(std::nullopt, 4);
  std::vector<std::string> given;
  source_->drain();
  int failures = 0;
  for (bool ended = false; !ended && failures < 10;) {
    try {
      const auto batch = run_task(source_->next());
      ended = !batch;
      for (const Event& event : batch ? batch->events : std::vector<Event>()) {
        given.push_back(event.object.path);
      }
    } catch (const Error&) {
      ++failures;
    }
  }
  EXPECT_GT(failures, 0);
  EXPECT_THAT(given, testing::UnorderedElementsAreArray(keys));
}

TEST_F(ListingSourceTest, CancellingLosesNothing) {
  restart(std::chrono::minutes(1));
  EXPECT_EQ(memory_.saves, 0u);
  boost::asio::io_context loop;
  boost::asio::cancellation_signal stop;
  std::exception_ptr failure;
  boost::asio::co_spawn(
      loop, source_->next(),
      boost::asio::bind_cancellation_slot(
          stop.slot(), [&](std::exception_ptr e, std::optional<EventBatch>) { failure = e; }));
  loop.poll();
  put("in/a.json");
  stop.emit(boost::asio::cancellation_type::all);
  loop.poll();
  ASSERT_TRUE(failure);
  EXPECT_EQ(to_error(failure).kind(), ErrorKind::kCancelled);
  EXPECT_THAT(drain(), ElementsAre("in/a.json"));
}

}  // namespace
}  // namespace headrace
