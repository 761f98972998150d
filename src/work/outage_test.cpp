#include "work/outage.h"

#include <gtest/gtest.h>

#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using namespace std::chrono_literals;

class OutageTest : public testing::Test {
 protected:
  OutageTest() {
    plan_.name = "load";
    plan_.retry = {3, {1s, 5min}};
  }

  TakenTask task(int attempt = 1) const { return {.due = clock_.now(), .attempt = attempt}; }
  Settled fails(const TakenTask& task, ErrorKind kind = ErrorKind::kTransient) {
    return outage_.failed(task, clock_.now(), Error(kind, "full"));
  }

  RoutePlan plan_;
  ManualClock clock_;
  SeededRandom random_{3};
  Outage outage_{plan_, clock_, random_, silent_log()};
};

TEST_F(OutageTest, CostsNoAttemptHoweverManyThereWere) {
  for (const int attempt : {1, 3, 100}) {
    const Settled settled = fails(task(attempt));
    EXPECT_EQ(settled.how, Settled::How::kRetry);
    EXPECT_FALSE(settled.costs_attempt);
    EXPECT_EQ(settled.due, clock_.now()) << "the route pauses, not the task";
  }
  ASSERT_TRUE(outage_.now());
  EXPECT_EQ(outage_.now()->error, "full");
}

TEST_F(OutageTest, AFailureWhileAnotherGotThroughIsTheTasksOwn) {
  const Time begun = clock_.now();
  clock_.advance(1s);
  outage_.got_through();
  const Error error(ErrorKind::kTransient, "no answer");
  const Settled settled = outage_.failed(task(2), begun, error);
  EXPECT_EQ(settled.how, Settled::How::kRetry);
  EXPECT_TRUE(settled.costs_attempt);
  EXPECT_LE(settled.due, clock_.now() + 2s);
  EXPECT_EQ(outage_.failed(task(3), begun, error).how, Settled::How::kDead);
  EXPECT_FALSE(outage_.now());
}

TEST_F(OutageTest, WhoFailedBeforeIsComparedSinceItIsDueAgain) {
  TakenTask again = task();
  again.failed_before = true;
  clock_.advance(1s);
  outage_.got_through();
  clock_.advance(1s);
  EXPECT_FALSE(fails(task()).costs_attempt);
  EXPECT_TRUE(fails(again).costs_attempt);
}

TEST_F(OutageTest, OtherFailuresAreAlwaysTheTasksOwn) {
  EXPECT_EQ(fails(task(1), ErrorKind::kConflict).how, Settled::How::kRetry);
  EXPECT_EQ(fails(task(3), ErrorKind::kConflict).how, Settled::How::kDead);
  for (const ErrorKind kind : {ErrorKind::kInvalid, ErrorKind::kCorrupt, ErrorKind::kBug}) {
    EXPECT_EQ(fails(task(1), kind).how, Settled::How::kDead);
  }
  EXPECT_FALSE(outage_.now());
}

TEST_F(OutageTest, OneTaskAtATimeLooksWhetherItIsOver) {
  EXPECT_EQ(run_task(outage_.may_take(16)), 16u);
  fails(task());
  clock_.advance(1min);
  EXPECT_EQ(run_task(outage_.may_take(16)), 1u);
  clock_.advance(1min);
  EXPECT_EQ(run_task(outage_.may_take(16)), 1u) << "no pause is longer than a minute";
  outage_.got_through();
  EXPECT_EQ(run_task(outage_.may_take(16)), 16u);
}

TEST_F(OutageTest, IsWaitedOutByNobodyWhoIsAboutToEnd) {
  fails(task());
  outage_.give_up();
  EXPECT_EQ(run_task(outage_.may_take(16)), 16u);
  EXPECT_TRUE(fails(task()).costs_attempt);
  EXPECT_EQ(fails(task(3)).how, Settled::How::kDead);
}

}  // namespace
}  // namespace headrace
