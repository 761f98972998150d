#include "step/time_fields.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "format/jsonl/moment.h"

namespace headrace {
namespace {

using Seconds = std::chrono::sys_seconds;

std::optional<Seconds> seconds_of(std::string value) {
  constexpr std::size_t kToTheSecond = 19;
  if (const auto days = jsonl::parse_date(value)) return Seconds(std::chrono::days(*days));
  if (value.size() > kToTheSecond && value[kToTheSecond] == '.') {  // However fine it is.
    const std::size_t zone = value.find_first_not_of("0123456789", kToTheSecond + 1);
    if (zone == kToTheSecond + 1) return std::nullopt;
    value.erase(kToTheSecond, std::min(zone, value.size()) - kToTheSecond);
  }
  jsonl::MomentParser parser;
  const auto moment = parser.parse(value);
  if (!moment) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(
      std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(moment->micros)));
}

std::string in_format(Seconds at, std::string_view format) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  const auto number = [&](char directive) -> std::string {
    switch (directive) {
      case 'Y':
        return fmt::format("{:04}", static_cast<int>(date.year()));
      case 'm':
        return fmt::format("{:02}", static_cast<unsigned>(date.month()));
      case 'd':
        return fmt::format("{:02}", static_cast<unsigned>(date.day()));
      case 'H':
        return fmt::format("{:02}", time.hours().count());
      case 'M':
        return fmt::format("{:02}", time.minutes().count());
      case 'S':
        return fmt::format("{:02}", time.seconds().count());
      default:
        return std::string(1, directive);  // "%%".
    }
  };
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const bool directive = format[i] == '%' && i + 1 < format.size();
    out += directive ? number(format[++i]) : std::string(1, format[i]);
  }
  return out;
}

}  // namespace

TimeFields::TimeFields(const KeyTemplate& name) {
  const std::string& text = name.text();
  for (std::size_t begin = text.find('{'); begin != std::string::npos;
       begin = text.find('{', begin + 1)) {
    const std::string inside = text.substr(begin + 1, text.find('}', begin) - begin - 1);
    const std::size_t colon = inside.find(':');
    if (colon == std::string::npos || !inside.contains('%')) continue;
    fields_.emplace(inside.substr(0, colon),
                    TimeField{inside.substr(colon + 1),
                              KeyTemplate::parse("{t:" + inside.substr(colon + 1) + "}")});
  }
}

std::string TimeFields::spelled(const std::string& field, std::string value) const {
  const auto found = fields_.find(field);
  if (found == fields_.end() || found->second.alone.match(value)) return value;
  const auto seconds = seconds_of(value);
  return seconds ? in_format(*seconds, found->second.format) : value;
}

}  // namespace headrace
