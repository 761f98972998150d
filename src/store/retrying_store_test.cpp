#include "store/retrying_store.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "store/memory/memory_store.h"
#include "testing/fault_store.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using Kind = StoreFault::Kind;

class RetryingStoreTest : public testing::Test {
 protected:
  RetryingStoreTest() {
    auto memory = make_memory_store(clock_);
    memory_ = memory.get();
    auto faults = std::make_unique<FaultStore>(std::move(memory), clock_, 1);
    faults_ = faults.get();
    RetryingStoreConfig config;
    config.policy = {3, {Duration::zero(), Duration::zero()}};
    config.replay_bytes = 2u << 20;
    store_ = make_retrying_store(std::move(faults), clock_, real_random(), config);
  }

  void fail(Kind kind, StoreCall call, std::uint64_t times = 1, std::uint64_t first = 1) {
    StoreFault fault;
    fault.kind = kind;
    fault.call = call;
    fault.first = first;
    fault.times = times;
    faults_->add(fault);
  }
  std::uint64_t put_calls() const { return faults_->calls(StoreCall::kPut); }

  const ObjectKey key_{"bucket", "key"};
  ManualClock clock_;
  Store* memory_ = nullptr;
  FaultStore* faults_ = nullptr;
  std::unique_ptr<Store> store_;
};

TEST_F(RetryingStoreTest, GivesUpAfterTheLastTry) {
  fail(Kind::kFailBefore, StoreCall::kHead, 3);
  EXPECT_THROW(run_task(store_->head(key_)), Error);
  EXPECT_EQ(faults_->calls(StoreCall::kHead), 3u);
  EXPECT_EQ(run_task(store_->head(key_)), std::nullopt);
}

TEST_F(RetryingStoreTest, ARefusalAfterALostAnswerLeavesAConditionalPutOpen) {
  fail(Kind::kLate, StoreCall::kPut);
  StoreFault refusal;
  refusal.call = StoreCall::kPut;
  refusal.error = ErrorKind::kInvalid;
  faults_->add(refusal);
  try {
    run_task(store_->put_if_absent(key_, "x"));
    ADD_FAILURE() << "it may still land";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient) << error.what();
  }
  EXPECT_EQ(run_task(faults_->land()), 1u);
  EXPECT_TRUE(run_task(memory_->head(key_)));
}

TEST_F(RetryingStoreTest, TriesOnlyWhatMayPassByItself) {
  StoreFault fault;
  fault.error = ErrorKind::kInvalid;
  faults_->add(fault);
  EXPECT_THROW(run_task(store_->put(key_, "x")), Error);
  EXPECT_EQ(put_calls(), 1u);
}

TEST_F(RetryingStoreTest, FindsItsOwnWriteAfterALostAnswer) {
  fail(Kind::kFailAfter, StoreCall::kPut);
  const auto etag = run_task(store_->put_if_absent(key_, "mine"));
  ASSERT_TRUE(etag);
  EXPECT_EQ(etag, run_task(memory_->head(key_))->etag);
  EXPECT_EQ(put_calls(), 2u);

  faults_->clear();
  fail(Kind::kFailAfter, StoreCall::kPut);
  const auto over = run_task(store_->put_if_match(key_, "again", *etag));
  ASSERT_TRUE(over);
  EXPECT_EQ(over, run_task(memory_->head(key_))->etag);

  faults_->clear();
  fail(Kind::kFailAfter, StoreCall::kCopy);
  PutOptions free;
  free.condition.if_absent = true;
  EXPECT_TRUE(run_task(store_->copy(key_, ObjectKey{"bucket", "copy"}, free)));
}

TEST_F(RetryingStoreTest, LosesAgainstAnotherWriterAfterALostAnswer) {
  run_task(memory_->put(key_, "theirs", {.metadata = {{std::string(kWriteId), "other"}}}));
  fail(Kind::kFailAfter, StoreCall::kPut);
  EXPECT_EQ(run_task(store_->put_if_absent(key_, "mine")), std::nullopt);
  EXPECT_EQ(put_calls(), 2u);
}

TEST_F(RetryingStoreTest, FindsItsOwnConditionalRemovalAfterALostAnswer) {
  const auto etag = run_task(memory_->put(key_, "mine"));
  fail(Kind::kFailAfter, StoreCall::kRemove);
  EXPECT_TRUE(run_task(store_->remove(key_, *etag)));
  EXPECT_EQ(faults_->calls(StoreCall::kRemove), 2u);

  faults_->clear();
  run_task(memory_->put(key_, "theirs"));
  fail(Kind::kFailAfter, StoreCall::kRemove);
  EXPECT_FALSE(run_task(store_->remove(key_, *etag)));
}

TEST_F(RetryingStoreTest, KeepsTheWriteIdOfTheCaller) {
  fail(Kind::kFailAfter, StoreCall::kPut);
  const Metadata metadata{{std::string(kWriteId), "intent-7"}};
  EXPECT_TRUE(run_task(store_->put_if_absent(key_, "mine", metadata)));
  EXPECT_EQ(run_task(memory_->head(key_))->metadata, metadata);
}

TEST_F(RetryingStoreTest, AddsNothingToAnUnconditionalWrite) {
  run_task(store_->put(key_, "x"));
  EXPECT_EQ(run_task(memory_->head(key_))->metadata, Metadata{});
}

TEST_F(RetryingStoreTest, SendsALongBodyOnlyOnce) {
  const Bytes body(3u << 20, 'x');
  EXPECT_TRUE(run_task(store_->put(key_, body)));
  EXPECT_TRUE(*run_task(read_object(*memory_, key_, body.size())) == body);
  fail(Kind::kCut, StoreCall::kPut);
  EXPECT_THROW(run_task(store_->put(key_, body)), Error);
  EXPECT_EQ(put_calls(), 2u);
}

TEST_F(RetryingStoreTest, ReadsOnWhereABodyBroke) {
  for (const Kind kind : {Kind::kCut, Kind::kCutQuietly}) {
    faults_->clear();
    const Bytes body(3u << 20, 'x');
    run_task(memory_->put(key_, body));
    fail(kind, StoreCall::kGet, 2);
    EXPECT_TRUE(*run_task(read_object(*store_, key_, body.size())) == body);
  }
}

TEST_F(RetryingStoreTest, DoesNotReadOnIntoAnotherContent) {
  run_task(memory_->put(key_, Bytes(3u << 20, 'x')));
  fail(Kind::kCut, StoreCall::kGet);
  auto object = run_task(store_->get(key_));
  run_task(memory_->put(key_, Bytes(3u << 20, 'y')));
  try {
    run_task(read_all(*object->body, 1u << 30));
    ADD_FAILURE() << "read a mix of two contents";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConflict);
  }
}

TEST_F(RetryingStoreTest, WaitsBetweenTries) {
  auto faults = std::make_unique<FaultStore>(make_memory_store(clock_), clock_, 1);
  StoreFault fault;
  fault.times = 1;
  faults->add(fault);
  RetryingStoreConfig config;
  config.policy = {2, {std::chrono::hours(1), std::chrono::hours(1)}};
  const auto store = make_retrying_store(std::move(faults), clock_, real_random(), config);
  boost::asio::io_context loop;
  bool done = false;
  boost::asio::co_spawn(loop, store->head(key_),
                        [&](std::exception_ptr, std::optional<ObjectInfo>) { done = true; });
  loop.poll();
  EXPECT_FALSE(done);
  clock_.advance(std::chrono::hours(2));
  loop.restart();
  loop.run();
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace headrace
