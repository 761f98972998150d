#include "core/clock.h"

#include <gtest/gtest.h>

#include "core/random.h"
#include "testing/run_task.h"

namespace headrace {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr Time kNoon = sys_days(std::chrono::January / 31 / 2026) + 12h;

struct TimeCase {
  std::string_view text;
  Time time;
  std::string_view canonical;
};

TEST(Time, IsReadAndWritten) {
  const TimeCase cases[] = {
      {"2026-01-31T12:00:00Z", kNoon, "2026-01-31T12:00:00Z"},
      {"2026-01-31t12:00:00z", kNoon, "2026-01-31T12:00:00Z"},
      {"2026-01-31 12:00:00Z", kNoon, "2026-01-31T12:00:00Z"},
      {"2026-01-31T12:00:00.5Z", kNoon + 500ms, "2026-01-31T12:00:00.500Z"},
      {"2026-01-31T12:00:00.000001Z", kNoon + 1us, "2026-01-31T12:00:00.000001Z"},
      {"2026-01-31T12:00:00.123456789Z", kNoon + 123456us, "2026-01-31T12:00:00.123456Z"},
      {"2026-01-31T13:30:00+01:30", kNoon, "2026-01-31T12:00:00Z"},
      {"2026-01-31T04:00:00-08:00", kNoon, "2026-01-31T12:00:00Z"},
      {"2024-02-29T00:00:00Z", sys_days(std::chrono::February / 29 / 2024), "2024-02-29T00:00:00Z"},
      {"2016-12-31T23:59:60Z", sys_days(std::chrono::January / 1 / 2017), "2017-01-01T00:00:00Z"},
      {"1969-12-31T23:59:59.999999Z", Time(-1us), "1969-12-31T23:59:59.999999Z"},
      {"0001-01-01T00:00:00Z", sys_days(std::chrono::January / 1 / 1), "0001-01-01T00:00:00Z"}};
  for (const TimeCase& row : cases) {
    const auto time = parse_time(row.text);
    ASSERT_TRUE(time) << row.text;
    EXPECT_EQ(*time, row.time) << row.text;
    EXPECT_EQ(format_time(*time), row.canonical);
  }
}

TEST(Time, IsNotReadOutOfOtherText) {
  for (const std::string_view text :
       {"", "2026-01-31", "2026-01-31T12:00:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00.1234567890Z",
        "2026-01-31T12:00:00+0100", "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00Z ",
        " 2026-01-31T12:00:00Z", "26-01-31T12:00:00Z", "2026-1-31T12:00:00Z",
        "-026-01-31T12:00:00Z", "2026-01-31T-1:00:00Z"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

TEST(Time, ReadsBackWhatItWrites) {
  SeededRandom random(1);
  const std::int64_t span = (parse_time("9999-12-31T23:59:59Z")->time_since_epoch()).count();
  for (int i = 0; i < 10'000; ++i) {
    const Time time(Duration(static_cast<std::int64_t>(random.below(span))));
    ASSERT_EQ(parse_time(format_time(time)), time) << format_time(time);
  }
}

TEST(Duration, IsReadAndWritten) {
  const std::pair<std::string_view, Duration> cases[] = {
      {"0s", 0s},   {"1500ms", 1500ms}, {"30s", 30s}, {"90s", 90s}, {"5m", 5min},
      {"12h", 12h}, {"14d", 24h * 14},  {"1us", 1us}, {"25h", 25h}, {"1001us", 1001us}};
  for (const auto& [text, span] : cases) {
    EXPECT_EQ(parse_duration(text), span) << text;
    EXPECT_EQ(format_duration(span), text);
  }
  EXPECT_EQ(parse_duration("60s"), 1min);
  EXPECT_EQ(format_duration(60s), "1m");
  EXPECT_EQ(format_duration(24h), "1d");
}

TEST(Duration, IsNotReadOutOfOtherText) {
  for (const std::string_view text : {"", "5", "m", "5 m", "1.5s", "-5m", "+5m", "5M", "1m30s",
                                      "5m ", "5min", "107000000d", "99999999999999999999s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(RealClock, MovesForwardAndSleepsNoLongerThanIsLeft) {
  Clock& clock = real_clock();
  const Duration before = clock.monotonic();
  run_task(clock.sleep_until(clock.now() - 1s));
  run_task(clock.sleep(1ms));
  EXPECT_GE(clock.monotonic(), before);
}

}  // namespace
}  // namespace headrace
