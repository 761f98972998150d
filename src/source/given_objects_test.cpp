#include "source/given_objects.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random.h"
#include "testing/fake_source_memory.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

class GivenObjectsTest : public testing::Test {
 protected:
  /// As after a restart: what was not saved is gone.
  void restart() {
    given_ = std::make_unique<GivenObjects>(memory_, "uploads", 1'000'000);
    run_task(given_->load());
  }
  GivenObjectsTest() { restart(); }

  void record(const std::string& key, std::optional<std::string> etag) {
    std::optional<Etag> with;
    if (etag) with = Etag{*etag};
    run_task(given_->settle(given_->give({GivenObjects::given(key, with)})));
  }
  bool is_new(const std::string& key, const std::string& etag) {
    return given_->is_new(key, Etag{etag});
  }
  /// A pass that sees these keys, each with etag "1".
  void pass(const std::vector<std::string>& keys) {
    given_->begin_pass();
    for (const auto& key : keys) given_->is_new(key, Etag{"1"});
    run_task(given_->end_pass());
  }

  FakeSourceMemory memory_;
  std::unique_ptr<GivenObjects> given_;
};

TEST_F(GivenObjectsTest, KnowsEachContentOnce) {
  EXPECT_TRUE(is_new("a", "1"));
  record("a", "1");
  EXPECT_FALSE(is_new("a", "1"));
  EXPECT_TRUE(is_new("a", "2"));
  EXPECT_TRUE(is_new("b", "1"));
  record("a", "2");
  EXPECT_FALSE(is_new("a", "2"));
  EXPECT_TRUE(is_new("a", "1"));
  EXPECT_EQ(given_->size(), 1u);
}

TEST_F(GivenObjectsTest, KnowsWhatItHas) {
  EXPECT_FALSE(given_->has("a"));
  const Receipt out = given_->give({GivenObjects::given("a", Etag{"1"})});
  EXPECT_TRUE(given_->has("a"));
  run_task(given_->settle(out));
  EXPECT_TRUE(given_->has("a"));
  const Receipt deletion = given_->give({GivenObjects::given("a", std::nullopt)});
  EXPECT_FALSE(given_->has("a"));
  run_task(given_->settle(deletion));
  EXPECT_FALSE(given_->has("a"));
}

TEST_F(GivenObjectsTest, ForgetsADeletedObject) {
  record("a", "1");
  record("a", std::nullopt);
  EXPECT_TRUE(is_new("a", "1"));
  EXPECT_EQ(given_->size(), 0u);
}

TEST_F(GivenObjectsTest, RemembersAcrossARestartWhatWasSettled) {
  record("a", "1");
  const Receipt out = given_->give({GivenObjects::given("b", Etag{"1"})});
  EXPECT_FALSE(is_new("b", "1")) << "it is out";
  EXPECT_TRUE(is_new("b", "2")) << "another content";
  EXPECT_GT(out, 0u);
  restart();
  EXPECT_FALSE(is_new("a", "1"));
  EXPECT_TRUE(is_new("b", "1")) << "was not settled";
}

TEST_F(GivenObjectsTest, IsAskedAgainToSettleWhenItCouldNotSave) {
  const Receipt out = given_->give({GivenObjects::given("a", Etag{"1"})});
  memory_.fail_after = memory_.saves;
  EXPECT_THROW(run_task(given_->settle(out)), Error);
  EXPECT_THROW(run_task(given_->settle(out)), Error);
  memory_.fail_after.reset();
  run_task(given_->settle(out));
  restart();
  EXPECT_FALSE(is_new("a", "1"));
}

TEST_F(GivenObjectsTest, ForgetsWhatTwoPassesDidNotSee) {
  record("a", "1");
  record("b", "1");
  pass({"a"});
  EXPECT_EQ(given_->size(), 2u);
  restart();
  pass({"a"});
  EXPECT_EQ(given_->size(), 1u);
  EXPECT_FALSE(is_new("a", "1"));
  EXPECT_TRUE(is_new("b", "1"));
  restart();
  EXPECT_TRUE(is_new("b", "1"));
}

TEST_F(GivenObjectsTest, OneMissIsForgiven) {
  record("a", "1");
  for (int i = 0; i < 3; ++i) {
    pass({});
    restart();
    pass({"a"});
  }
  EXPECT_FALSE(is_new("a", "1"));
}

TEST_F(GivenObjectsTest, APassThatFailedGoesOn) {
  record("a", "1");
  record("b", "1");
  pass({});
  given_->begin_pass();
  is_new("a", "1");
  given_->begin_pass();
  is_new("b", "1");
  run_task(given_->end_pass());
  EXPECT_EQ(given_->size(), 2u);
}

TEST_F(GivenObjectsTest, KeepsABatchThatCouldNotBeSaved) {
  memory_.fail_after = memory_.saves;
  EXPECT_THROW(record("a", "1"), Error);
  EXPECT_FALSE(is_new("a", "1"));
  memory_.fail_after.reset();
  record("b", "1");
  restart();
  EXPECT_FALSE(is_new("a", "1"));
  EXPECT_FALSE(is_new("b", "1"));
}

TEST_F(GivenObjectsTest, RefusesMoreThanItMayHold) {
  GivenObjects small(memory_, "small", 2);
  small.give({GivenObjects::given("a", Etag{"1"}), GivenObjects::given("b", Etag{"1"})});
  try {
    small.give({GivenObjects::given("c", Etag{"1"})});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  }
}

TEST_F(GivenObjectsTest, SaysWhenItsMemoryIsBroken) {
  memory_.values["given/state"] = "something else";
  EXPECT_THROW(restart(), Error);
  memory_.values.clear();
  memory_.values["given/part/0/000000"] = "torn";
  EXPECT_THROW(restart(), Error);
}

/// Settles `count` objects in batches; returns when all are saved or a save failed.
void fill(GivenObjects& given, int from, int count) {
  for (int at = from; at < from + count; at += 256) {
    std::vector<GivenObjects::Given> batch;
    for (int i = at; i < std::min(at + 256, from + count); ++i) {
      batch.push_back(GivenObjects::given(fmt::format("key/{}", i), Etag{"1"}));
    }
    run_task(given.settle(given.give(std::move(batch))));
  }
}

TEST_F(GivenObjectsTest, WritesLittlePerObject) {
  fill(*given_, 0, 100'000);
  EXPECT_LT(memory_.bytes_saved, 100'000u * 100);
  EXPECT_LT(memory_.values.size(), 300u);
  for (const auto& [key, value] : memory_.values) EXPECT_LE(value.size(), 256u * 1024) << key;
  restart();
  EXPECT_EQ(given_->size(), 100'000u);
  for (int i = 0; i < 100'000; i += 7) EXPECT_FALSE(is_new(fmt::format("key/{}", i), "1"));
  EXPECT_TRUE(is_new("key/100000", "1"));
}

/// Whatever save is the last before a crash, what was settled before is known afterwards.
TEST_F(GivenObjectsTest, LosesNothingWhereverItStops) {
  std::size_t all_saves = 0;
  for (std::size_t good = 0; good == 0 || good < all_saves; good += 13) {
    memory_ = FakeSourceMemory();
    restart();
    if (good > 0) memory_.fail_after = good;
    int settled = 0;
    try {
      for (; settled < 40'000; settled += 256) fill(*given_, settled, 256);
    } catch (const Error&) {
    }
    all_saves = std::max(all_saves, memory_.saves);
    restart();
    for (int i = 0; i < settled; i += 5) {
      ASSERT_FALSE(is_new(fmt::format("key/{}", i), "1")) << i << " after " << good << " saves";
    }
  }
}

}  // namespace
}  // namespace headrace
