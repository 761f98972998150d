#include "core/clock.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>

#include "core/error.h"

namespace headrace {
namespace {

using namespace std::chrono;

class MachineClock final : public Clock {
 public:
  Time now() const override { return time_point_cast<microseconds>(system_clock::now()); }

  Duration monotonic() const override {
    return duration_cast<Duration>(steady_clock::now().time_since_epoch());
  }

  Task<> sleep_until(Time due) override {
    // The wall clock may be set while we sleep: look again at least every minute.
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (Time at = now(); at < due; at = now()) {
      timer.expires_after(std::min<Duration>(due - at, minutes(1)));
      boost::system::error_code failed;
      co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, failed));
      if (failed) throw Error(ErrorKind::kCancelled, "sleep cancelled");
    }
  }
};

/// Reads exactly `digits` digits off the front of `text`.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + digits, value);
  if (failed != std::errc{} || end != text.data() + digits || text[0] == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// ".123456789" -> microseconds; an empty fraction is zero.
std::optional<microseconds> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return microseconds(0);
  std::int64_t value = 0;
  std::size_t digits = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (digits < 6) value = value * 10 + (text[0] - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  for (std::size_t i = digits; i < 6; ++i) value *= 10;
  return microseconds(value);
}

/// "Z" or "+hh:mm" -> what to take away from the local time.
std::optional<minutes> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return minutes(0);
  const bool west = !text.empty() && text[0] == '-';
  int hour = 0;
  int minute = 0;
  if (!take(text, "+-") || !take_number(text, 2, hour) || !take(text, ":") ||
      !take_number(text, 2, minute) || hour > 23 || minute > 59) {
    return std::nullopt;
  }
  const minutes offset = hours(hour) + minutes(minute);
  return west ? -offset : offset;
}

}  // namespace

Clock& real_clock() {
  static MachineClock clock;
  return clock;
}

std::string format_time(Time time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  const auto micros = clock.subseconds().count();
  if (micros % 1000 != 0) {
    text += fmt::format(".{:06}", micros);
  } else if (micros != 0) {
    text += fmt::format(".{:03}", micros / 1000);
  }
  return text + "Z";
}

std::optional<Time> parse_time(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!take_number(text, 4, year) || !take(text, "-") || !take_number(text, 2, month) ||
      !take(text, "-") || !take_number(text, 2, day) || !take(text, "Tt ") ||
      !take_number(text, 2, hour) || !take(text, ":") || !take_number(text, 2, minute) ||
      !take(text, ":") || !take_number(text, 2, second)) {
    return std::nullopt;
  }
  const auto fraction = take_fraction(text);
  const auto offset = take_offset(text);
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(day)};
  if (!fraction || !offset || !text.empty() || !date.ok() || hour > 23 || minute > 59 ||
      second > 60) {
    return std::nullopt;
  }
  return Time(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) + *fraction -
         *offset;
}

namespace {

struct DurationUnit {
  std::string_view name;
  Duration span;
};
constexpr std::array kDurationUnits{
    DurationUnit{"d", days(1)},          DurationUnit{"h", hours(1)},
    DurationUnit{"m", minutes(1)},       DurationUnit{"s", seconds(1)},
    DurationUnit{"ms", milliseconds(1)}, DurationUnit{"us", microseconds(1)}};

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || number < 0) return std::nullopt;
  const std::string_view unit(rest, text.data() + text.size());
  for (const DurationUnit& known : kDurationUnits) {
    std::int64_t micros = 0;
    if (unit != known.name) continue;
    if (__builtin_mul_overflow(number, known.span.count(), &micros)) return std::nullopt;
    return Duration(micros);
  }
  return std::nullopt;
}

std::string format_duration(Duration span) {
  if (span == Duration(0)) return "0s";
  for (const DurationUnit& unit : kDurationUnits) {
    if (span % unit.span == Duration(0)) return fmt::format("{}{}", span / unit.span, unit.name);
  }
  std::unreachable();
}

}  // namespace headrace
