#include "format/parquet/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "format/jsonl/moment.h"

namespace headrace::parquet_file {
namespace {

constexpr std::int64_t kMicrosOfDay = 86'400'000'000;

struct Clockface {
  std::string date;
  int hour, minute, second, micros;
};

Clockface clockface(std::int64_t moment) {
  std::int64_t days = moment / kMicrosOfDay;
  std::int64_t rest = moment % kMicrosOfDay;
  if (rest < 0) {
    rest += kMicrosOfDay;
    --days;
  }
  const auto seconds = static_cast<int>(rest / 1'000'000);
  return {jsonl::format_date(static_cast<std::int32_t>(days)), seconds / 3600, seconds / 60 % 60,
          seconds % 60, static_cast<int>(rest % 1'000'000)};
}

/// Java writes the shortest digits that read back, in plain form from 1e-3 to below 1e7 and else
/// with an exponent; there is always a digit after the point.
template <class Float>
std::string java_text(Float value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  char shortest[64];
  const auto end = std::to_chars(shortest, shortest + sizeof shortest, std::fabs(value),
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view text(shortest, static_cast<std::size_t>(end - shortest));
  const std::size_t mark = text.find('e');
  std::string digits(text.substr(0, mark));
  std::erase(digits, '.');
  int exponent = 0;
  std::from_chars(text.data() + mark + (text[mark + 1] == '+' ? 2 : 1), end, exponent);
  const std::string sign = value < 0 ? "-" : "";
  if (exponent < -3 || exponent >= 7) {
    const std::string fraction = digits.size() > 1 ? digits.substr(1) : "0";
    return fmt::format("{}{}.{}E{}", sign, digits[0], fraction, exponent);
  }
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) {
    return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  }
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace

std::string decimal_text(jsonl::Int128 unscaled, int scale) {
  auto rest =
      unscaled < 0 ? -static_cast<jsonl::Uint128>(unscaled) : static_cast<jsonl::Uint128>(unscaled);
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
    if (static_cast<int>(text.size()) == scale) text += '.';
  } while (rest != 0 || static_cast<int>(text.size()) <= scale);
  if (text.back() == '.') text += '0';
  if (unscaled < 0) text += '-';
  std::ranges::reverse(text);
  return text;
}

jsonl::Int128 wide_integer(std::string_view bytes) {
  jsonl::Uint128 value = 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<unsigned char>(byte);
  return static_cast<jsonl::Int128>(value);
}

std::string java_double_text(double value) { return java_text(value); }
std::string java_float_text(float value) { return java_text(value); }

std::string moment_text(std::int64_t micros, bool zoned) {
  const Clockface at = clockface(micros);
  return fmt::format("{}{}{:02}:{:02}:{:02}.{:06}{}", at.date, zoned ? "T" : " ", at.hour,
                     at.minute, at.second, at.micros, zoned ? "Z" : "");
}

std::string millisecond_text(std::int64_t micros, bool zoned, bool up) {
  const Clockface at = clockface(up ? micros + 999 : micros);
  return fmt::format("{}T{:02}:{:02}:{:02}.{:03}{}", at.date, at.hour, at.minute, at.second,
                     at.micros / 1000, zoned ? "Z" : "");
}

}  // namespace headrace::parquet_file
