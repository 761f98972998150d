#include "core/timeout.h"

#include <gmock/gmock.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>

#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using namespace std::chrono_literals;
using boost::asio::experimental::awaitable_operators::operator&&;

Task<int> seven() { co_return 7; }
Task<> nothing() { co_return; }
Task<int> failing() {
  throw Error(ErrorKind::kConflict, "someone else won");
  co_return 0;
}

/// Sleeps in `clock` and says how it was woken.
Task<int> sleeper(Clock& clock, Duration span, std::string& end) {
  try {
    co_await clock.sleep(span);
  } catch (const Error& error) {
    end = to_string(error.kind());
    throw;
  }
  end = "slept";
  co_return 1;
}

Task<> advance(ManualClock& clock, std::size_t sleepers, Duration span) {
  while (clock.sleepers() < sleepers) {
    co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                               boost::asio::use_awaitable);
  }
  clock.advance(span);
}

TEST(Timeout, GivesTheResultOfATaskThatIsInTime) {
  ManualClock clock;
  EXPECT_EQ(run_task(with_timeout(clock, 30s, "count", seven())), 7);
  run_task(with_timeout(clock, 30s, "count", nothing()));
  EXPECT_EQ(clock.sleepers(), 0u);
}

TEST(Timeout, PassesOnWhatTheTaskThrows) {
  ManualClock clock;
  try {
    run_task(with_timeout(clock, 30s, "count", failing()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConflict);
    EXPECT_STREQ(error.what(), "someone else won");
  }
}

TEST(Timeout, CancelsATaskThatTakesTooLongAndSaysSo) {
  ManualClock clock;
  std::string end;
  try {
    run_task(with_timeout(clock, 30s, "GET a/b", sleeper(clock, 1h, end)) &&
             advance(clock, 2, 30s));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    EXPECT_STREQ(error.what(), "GET a/b: took longer than 30s");
  }
  EXPECT_EQ(end, "cancelled");
  EXPECT_EQ(clock.sleepers(), 0u);
}

TEST(Timeout, LetsATaskSleepThatEndsInTime) {
  ManualClock clock;
  std::string end;
  const int value =
      run_task(with_timeout(clock, 30s, "nap", sleeper(clock, 29s, end)) && advance(clock, 2, 29s));
  EXPECT_EQ(value, 1);
  EXPECT_EQ(end, "slept");
}

}  // namespace
}  // namespace headrace
