#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/task.h"

namespace headrace {

/// A moment in UTC and a span, both in microseconds.
using Time = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

/// Where time comes from. The raw clocks and timers are used only in core/clock.cpp, so that tests
/// can hold time still. Any thread may call.
class Clock {
 public:
  virtual ~Clock() = default;
  /// The wall clock. May step backwards when the machine's clock is set.
  virtual Time now() const = 0;
  /// Time since some start; never steps backwards. For measuring, not for dates.
  virtual Duration monotonic() const = 0;
  /// Resumes on the caller's executor when now() has reached `due`; throws kCancelled if cancelled.
  virtual Task<> sleep_until(Time due) = 0;

  Task<> sleep(Duration span) { return sleep_until(now() + span); }
};

/// The machine's clock.
Clock& real_clock();

/// "2026-01-31T09:08:07.123456Z"; the fraction is left out when zero and has 3 or 6 digits.
std::string format_time(Time time);
/// RFC 3339 with any offset and up to 9 fraction digits (cut to 6); nullopt if `text` is no time.
std::optional<Time> parse_time(std::string_view text);

/// "1500ms", "30s", "5m", "12h", "14d"; nullopt if `text` is none. Whole numbers and one unit.
std::optional<Duration> parse_duration(std::string_view text);
/// The shortest of the spellings above that says the same: 90s, not 1m30s.
std::string format_duration(Duration span);

}  // namespace headrace
