#include "core/retry.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsCapWithFullJitter) {
  const Backoff backoff{.base = 1s, .cap = 5min};
  SeededRandom random(1);
  const std::pair<int, Duration> ceilings[] = {{1, 1s},    {2, 2s},     {3, 4s},        {9, 256s},
                                               {10, 5min}, {100, 5min}, {1 << 30, 5min}};
  for (const auto& [failures, ceiling] : ceilings) {
    Duration longest{};
    for (int i = 0; i < 500; ++i) {
      const Duration pause = backoff.pause(failures, random);
      ASSERT_GE(pause, 0s);
      ASSERT_LE(pause, ceiling);
      longest = std::max(longest, pause);
    }
    EXPECT_GT(longest, ceiling * 9 / 10) << failures;
  }
}

TEST(Backoff, WaitsAtLeastWhatTheOtherSideAskedFor) {
  SeededRandom random(1);
  const Backoff backoff{.base = 1ms, .cap = 1s};
  EXPECT_EQ(backoff.pause(1, random, 10s), 10s);
}

TEST(Backoff, OfNothingIsNothing) {
  SeededRandom random(1);
  EXPECT_EQ((Backoff{.base = 0s, .cap = 0s}).pause(5, random), 0s);
  EXPECT_LE((Backoff{.base = 1h, .cap = 1s}).pause(1, random), 1s);
}

/// Runs with_retry on a clock that a test moves by hand.
class RetryTest : public testing::Test {
 protected:
  struct Try {
    ErrorKind kind;
    std::chrono::milliseconds retry_after{};
  };

  /// Starts a task that fails as listed and gives 42 then.
  void start(RetryPolicy policy, std::vector<Try> failures) {
    auto make = [this, failures = std::move(failures)]() -> Task<int> {
      const std::size_t number = tries_++;
      if (number >= failures.size()) co_return 42;
      throw Error(failures[number].kind, fmt::format("try {}", number + 1),
                  failures[number].retry_after);
    };
    boost::asio::co_spawn(
        loop_, with_retry(policy, clock_, random_, std::move(make)),
        boost::asio::bind_cancellation_slot(cancel_.slot(), [this](std::exception_ptr e, int v) {
          if (e) {
            failure_ = to_error(e);
          } else {
            result_ = v;
          }
        }));
    settle();
  }

  /// Runs all that can run without time passing.
  void settle() {
    loop_.restart();
    loop_.poll();
  }

  void advance(Duration span) {
    clock_.advance(span);
    settle();
  }

  boost::asio::io_context loop_;
  boost::asio::cancellation_signal cancel_;
  ManualClock clock_;
  SeededRandom random_{1};
  std::size_t tries_ = 0;
  std::optional<int> result_;
  std::optional<Error> failure_;
};

TEST_F(RetryTest, GivesTheFirstSuccessAtOnce) {
  start({}, {});
  EXPECT_EQ(result_, 42);
  EXPECT_EQ(tries_, 1);
}

TEST_F(RetryTest, TriesAgainAfterThePause) {
  start({.attempts = 3, .backoff = {.base = 1s, .cap = 1min}},
        {{ErrorKind::kTransient, 5s}, {ErrorKind::kTransient, 7s}});
  EXPECT_EQ(tries_, 1);
  EXPECT_EQ(clock_.next_due(), clock_.now() + 5s);
  advance(5s - 1us);
  EXPECT_EQ(tries_, 1);
  advance(1us);
  EXPECT_EQ(tries_, 2);
  advance(7s);
  EXPECT_EQ(tries_, 3);
  EXPECT_EQ(result_, 42);
}

TEST_F(RetryTest, GivesUpAfterItsAttemptsWithTheLastError) {
  start({.attempts = 2, .backoff = {.base = 1s, .cap = 1s}},
        {{ErrorKind::kTransient}, {ErrorKind::kTransient}});
  advance(1s);
  EXPECT_EQ(tries_, 2);
  ASSERT_TRUE(failure_);
  EXPECT_STREQ(failure_->what(), "try 2");
  EXPECT_EQ(clock_.sleepers(), 0);
}

TEST_F(RetryTest, LeavesAllButTransientErrorsToTheCaller) {
  for (const ErrorKind kind : {ErrorKind::kConflict, ErrorKind::kInvalid, ErrorKind::kCorrupt,
                               ErrorKind::kCancelled, ErrorKind::kBug}) {
    tries_ = 0;
    failure_.reset();
    start({}, {{kind}});
    EXPECT_EQ(tries_, 1);
    ASSERT_TRUE(failure_);
    EXPECT_EQ(failure_->kind(), kind);
  }
}

TEST_F(RetryTest, WaitsLongerForAPeerThatThrottles) {
  start({.attempts = 2,
         .backoff = {.base = 0s, .cap = 0s},
         .throttled = Backoff{.base = 1h, .cap = 1h}},
        {{ErrorKind::kTransient, 1ms}});
  EXPECT_EQ(tries_, 1);
  EXPECT_GT(clock_.next_due().value(), clock_.now() + 1min);
  advance(1h);
  EXPECT_EQ(result_, 42);
}

TEST_F(RetryTest, GivesUpWhenTheBudgetOfAllCallsIsSpent) {
  RetryBudget budget;
  while (budget.spend(RetryBudget::kTransientCost)) {
  }
  const RetryPolicy policy{.attempts = 9, .backoff = {.base = 0s, .cap = 0s}, .budget = &budget};
  start(policy, {{ErrorKind::kTransient}});
  EXPECT_EQ(tries_, 1);
  EXPECT_STREQ(failure_.value().what(), "try 1");
  for (int i = 0; i < 2 * RetryBudget::kTransientCost; ++i) {
    tries_ = 0;
    start(policy, {});  // Each success gives one back.
  }
  tries_ = 0;
  start(policy, {{ErrorKind::kTransient}});
  advance(1us);
  EXPECT_EQ(tries_, 2);
}

TEST(RetryBudget, GivesBackWhatARetryTookOnceItSucceeds) {
  RetryBudget budget;
  EXPECT_FALSE(budget.spend(RetryBudget::kCapacity + 1));
  for (const bool fails : {false, true}) {
    RetrySpending spending(&budget);
    EXPECT_TRUE(spending.may_retry(true));
    if (fails) spending.failed();
  }
  EXPECT_FALSE(budget.spend(RetryBudget::kCapacity - RetryBudget::kThrottledCost + 1));
  EXPECT_TRUE(budget.spend(RetryBudget::kCapacity - RetryBudget::kThrottledCost));
}

TEST_F(RetryTest, StopsInThePauseWhenCancelled) {
  start({}, {{ErrorKind::kTransient, 5s}});
  cancel_.emit(boost::asio::cancellation_type::terminal);
  settle();
  ASSERT_TRUE(failure_);
  EXPECT_EQ(failure_->kind(), ErrorKind::kCancelled);
  EXPECT_EQ(tries_, 1);
  EXPECT_EQ(clock_.sleepers(), 0);
}

}  // namespace
}  // namespace headrace
