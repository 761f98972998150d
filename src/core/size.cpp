#include "core/size.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace headrace {

std::optional<std::uint64_t> parse_size(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  static constexpr std::array kUnits{Unit{"", 1},
                                     Unit{"B", 1},
                                     Unit{"KB", 1'000},
                                     Unit{"MB", 1'000'000},
                                     Unit{"GB", 1'000'000'000},
                                     Unit{"TB", 1'000'000'000'000},
                                     Unit{"KiB", 1 << 10},
                                     Unit{"MiB", 1 << 20},
                                     Unit{"GiB", 1 << 30},
                                     Unit{"TiB", 1ULL << 40}};
  std::uint64_t number = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{}) return std::nullopt;
  const std::string_view unit(rest, text.data() + text.size());
  for (const Unit& known : kUnits) {
    std::uint64_t bytes = 0;
    if (unit != known.name) continue;
    if (__builtin_mul_overflow(number, known.bytes, &bytes)) return std::nullopt;
    return bytes;
  }
  return std::nullopt;
}

std::string format_size(std::uint64_t bytes) {
  static constexpr std::array kNames{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::string number = fmt::format("{:.{}f}", value, digits);
  if (digits > 0) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.ends_with('.')) number.pop_back();
  }
  return fmt::format("{} {}", number, kNames[unit]);
}

}  // namespace headrace
