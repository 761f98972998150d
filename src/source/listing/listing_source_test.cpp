#include "source/listing/listing_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <malloc.h>
#include <sanitizer/allocator_interface.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <set>

#include "core/error.h"
#include "store/memory/memory_store.h"
#include "testing/fake_source_memory.h"
#include "testing/fault_store.h"
#include "testing/key_store.h"
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

/// Flat prefixes of many keys, listed in pages of 100.
struct FlatPrefix {
  const char* name;
  std::function<std::string(std::uint64_t)> key_at;  ///< Ascending.
};

class FlatListingTest : public testing::TestWithParam<FlatPrefix> {
 protected:
  static constexpr std::uint64_t kKeys = 20'000;
  static constexpr std::uint64_t kPages = kKeys / 100;

  FlatListingTest() {
    store_.page = 100;
    store_.count = kKeys;
    store_.key_at = GetParam().key_at;
  }

  /// How often each key was given.
  std::map<std::string, int> list(std::size_t parallel) {
    store_.requests = store_.rounds = store_.at_once = 0;
    FakeSourceMemory memory;
    ListingOptions options;
    options.name = "landing";
    options.bucket = "bucket";
    options.prefix = "in/";
    options.parallel = parallel;
    const auto source =
        make_listing_source(options, store_, {}, memory, clock_, random_, silent_log());
    std::map<std::string, int> given;
    while (auto batch = run_task(source->next())) {
      for (const Event& event : batch->events) ++given[event.object.path];
      run_task(source->ack(batch->receipt));
    }
    return given;
  }

  KeyStore store_;
  ManualClock clock_;
  SeededRandom random_{1};
};

TEST_P(FlatListingTest, IsListedInPiecesAndEachKeyGivenOnce) {
  std::map<std::string, int> all;
  for (std::uint64_t i = 0; i < kKeys; ++i) all[store_.key_at(i)] = 1;
  EXPECT_TRUE(list(1) == all);
  EXPECT_LE(store_.requests, kPages);
  for (const std::size_t parallel : {2u, 8u, 32u}) {
    EXPECT_TRUE(list(parallel) == all) << parallel;
    EXPECT_EQ(store_.at_once, parallel);
    // No more than three times as long as a perfect division would take, and not many requests
    // for nothing.
    EXPECT_LE(store_.rounds, 3 * kPages / parallel + 10) << parallel;
    EXPECT_LE(store_.requests, 2 * kPages + 10 * parallel) << parallel;
    RecordProperty(fmt::format("rounds at {}", parallel), std::to_string(store_.rounds));
    RecordProperty(fmt::format("requests at {}", parallel), std::to_string(store_.requests));
  }
}

/// Half of the keys appear one by one while the listing is under way, before and behind it.
TEST_P(FlatListingTest, KeysThatAppearMeanwhileHideNoOthers) {
  std::vector<std::string> keys;
  for (std::uint64_t i = 0; i < kKeys; i += 2) keys.push_back(GetParam().key_at(i));
  const std::vector<std::string> from_the_start = keys;
  store_.key_at = [&](std::uint64_t i) { return keys[i]; };
  store_.count = keys.size();
  std::set<std::string> added;
  store_.before_list = [&] {
    for (int i = 0; i < 20; ++i) {
      const std::string key = GetParam().key_at(random_.below(kKeys / 2) * 2 + 1);
      if (added.insert(key).second) keys.insert(std::ranges::upper_bound(keys, key), key);
    }
    store_.count = keys.size();
  };
  const auto given = list(8);
  for (const std::string& key : from_the_start) ASSERT_TRUE(given.contains(key)) << key;
  for (const auto& [key, times] : given) ASSERT_EQ(times, 1) << key;
  EXPECT_GT(given.size(), from_the_start.size());
}

INSTANTIATE_TEST_SUITE_P(
    Keys, FlatListingTest,
    testing::Values(
        FlatPrefix{"Counter", [](auto i) { return fmt::format("in/{:010}.json", i); }},
        FlatPrefix{"Hash",
                   [](auto i) { return fmt::format("in/{:016x}", i * 0x346DC5D63886Full); }},
        FlatPrefix{"Uuid",
                   [](auto i) {
                     return fmt::format("in/{:08x}-7c1e-4b6a-9f0d-{:012x}.json", i * 214'000,
                                        i * i * 31 % 0xffffffffffffull);
                   }},
        FlatPrefix{"Time",
                   [](auto i) {
                     return "in/" + format_time(Time(std::chrono::seconds(1'767'225'600 + i * 97)));
                   }},
        FlatPrefix{"TimeOfManyYears",
                   [](auto i) {
                     return "in/" + format_time(Time(std::chrono::seconds(1'000'000 + i * 80'000)));
                   }},
        FlatPrefix{"Bursts",
                   [](auto i) {
                     return fmt::format("in/host-{:02}_{:06}.log", i / 2'500 * 9, i % 2'500);
                   }}),
    [](const auto& row) { return row.param.name; });

/// Bytes of memory in use.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
std::size_t allocated() { return __sanitizer_get_current_allocated_bytes(); }
#else
constexpr bool kSanitized = false;
std::size_t allocated() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}
#endif

TEST(LargeListing, RemembersManyKeysInAFewBytesEach) {
  const std::uint64_t kKeys = kSanitized ? 250'000 : 2'000'000;
  KeyStore store;
  store.count = kKeys;
  store.key_at = [](std::uint64_t i) {
    return fmt::format("in/{:016x}.json", i * 0x7BCDEF12345ull);
  };
  ManualClock clock;
  SeededRandom random(1);
  FakeSourceMemory memory;
  ListingOptions options;
  options.name = "landing";
  options.bucket = "bucket";
  options.prefix = "in/";
  options.every = std::chrono::hours(1);
  options.parallel = 8;
  const auto source = make_listing_source(options, store, {}, memory, clock, random, silent_log());
  const std::size_t before = allocated();
  std::size_t most = 0;
  std::uint64_t given = 0;
  while (given < kKeys) {
    const auto batch = run_task(source->next());
    given += batch->events.size();
    run_task(source->ack(batch->receipt));
    memory.values.clear();  // The disk, which is not looked at again.
    most = std::max(most, allocated() - before);
  }
  RecordProperty("bytes per key", std::to_string(most / kKeys));
  // 16 bytes each, room to grow, and the pages under way.
  EXPECT_LE(most, 32 * kKeys + (8u << 20));
  // The next pass gives nothing, and takes no more.
  source->drain();
  EXPECT_FALSE(run_task(source->next()));
  EXPECT_LE(allocated() - before, 32 * kKeys + (8u << 20));
}

}  // namespace
}  // namespace headrace
