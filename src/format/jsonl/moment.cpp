#include "format/jsonl/moment.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>

namespace headrace::jsonl {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The number that `count` digits at `at` spell; -1 if they are no digits.
int digits(const char* at, int count) {
  int value = 0;
  for (int i = 0; i < count; ++i) {
    if (!is_digit(at[i])) return -1;
    value = value * 10 + (at[i] - '0');
  }
  return value;
}

/// ".123": microseconds; moves `text` behind it. nullopt if there is none or it is too fine.
std::optional<std::int64_t> take_fraction(BytesView& text) {
  std::int64_t micros = 0;
  std::size_t count = 1;
  for (; count < text.size() && is_digit(text[count]); ++count) {
    if (count <= 6) {
      micros = micros * 10 + (text[count] - '0');
    } else if (text[count] != '0') {
      return std::nullopt;
    }
  }
  if (count == 1) return std::nullopt;
  for (std::size_t missing = count; missing <= 6; ++missing) micros *= 10;
  text.remove_prefix(count);
  return micros;
}

/// "Z", "+02:00": seconds east of UTC.
std::optional<int> parse_offset(BytesView text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
    return std::nullopt;
  }
  const int hours = digits(text.data() + 1, 2);
  const int minutes = digits(text.data() + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const int seconds = hours * 3600 + minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

}  // namespace

std::optional<std::int32_t> parse_date(BytesView text) {
  using namespace std::chrono;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int y = digits(text.data(), 4);
  const int m = digits(text.data() + 5, 2);
  const int d = digits(text.data() + 8, 2);
  if (y < 0 || m < 0 || d < 0) return std::nullopt;
  const year_month_day date{year(y), month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(d))};
  if (!date.ok()) return std::nullopt;
  return static_cast<std::int32_t>(sys_days(date).time_since_epoch().count());
}

std::optional<Moment> MomentParser::parse(BytesView text) {
  if (text.size() < 19 || text[13] != ':' || text[16] != ':') return std::nullopt;
  if (text[10] != 'T' && text[10] != ' ' && text[10] != 't') return std::nullopt;
  if (std::memcmp(text.data(), date_, sizeof date_) != 0) {
    const auto days = parse_date(text.substr(0, 10));
    if (!days) return std::nullopt;
    std::memcpy(date_, text.data(), sizeof date_);
    days_ = *days;
  }
  const int hour = digits(text.data() + 11, 2);
  const int minute = digits(text.data() + 14, 2);
  const int second = digits(text.data() + 17, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  Moment moment;
  moment.micros = (days_ * 86'400ll + hour * 3600 + minute * 60 + second) * kMicros;
  text.remove_prefix(19);
  if (!text.empty() && text[0] == '.') {
    const auto fraction = take_fraction(text);
    if (!fraction) return std::nullopt;
    moment.micros += *fraction;
  }
  if (text.empty()) return moment;
  const auto offset = parse_offset(text);
  if (!offset) return std::nullopt;
  moment.micros -= *offset * kMicros;
  moment.zoned = true;
  return moment;
}

std::string format_date(std::int64_t days) {
  using namespace std::chrono;
  // The calendar repeats itself, and the library's years end at 32767.
  constexpr std::int64_t kCycleDays = 146'097;
  constexpr std::int64_t kCycleYears = 400;
  const std::int64_t cycles = days / kCycleDays - (days % kCycleDays < 0 ? 1 : 0);
  const year_month_day date{sys_days(std::chrono::days(days - cycles * kCycleDays))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()) + cycles * kCycleYears,
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

}  // namespace headrace::jsonl
