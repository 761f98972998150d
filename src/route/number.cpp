#include "route/number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace headrace {
namespace {

/// A decimal as 0.DIGITS * 10^exponent, without zeros at either end of DIGITS; zero has no digits.
struct Decimal {
  std::string digits;
  std::int64_t exponent = 0;
  bool operator==(const Decimal&) const = default;
};

constexpr std::int64_t kHugeExponent = 1'000'000'000;

/// An exponent too large for the type is far beyond any double; its size no longer matters.
std::int64_t read_exponent(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (text.starts_with('+') || negative) text.remove_prefix(1);
  std::int64_t value = 0;
  for (const char c : text) value = std::min(value * 10 + (c - '0'), kHugeExponent);
  return negative ? -value : value;
}

/// The sign is left out: it is the same on both sides of the comparison.
Decimal read_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  Decimal out;
  const std::size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) out.exponent = read_exponent(text.substr(e + 1));
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  out.digits = mantissa.substr(0, point);
  if (point < mantissa.size()) out.digits += mantissa.substr(point + 1);
  out.exponent += static_cast<std::int64_t>(point);
  out.digits.erase(out.digits.find_last_not_of('0') + 1);
  const std::size_t zeros = std::min(out.digits.find_first_not_of('0'), out.digits.size());
  out.digits.erase(0, zeros);
  out.exponent = out.digits.empty() ? 0 : out.exponent - static_cast<std::int64_t>(zeros);
  return out;
}

/// Plain digits, at most 15 of them: two such decimals never share a double, so no need to look.
std::optional<double> read_short(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.size() > 16) return std::nullopt;
  static constexpr std::array kPowers{1.0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  std::uint64_t digits = 0;
  std::size_t after_point = 0;
  bool point = false;
  for (const char c : text) {
    if (c == '.') {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    digits = digits * 10 + static_cast<std::uint64_t>(c - '0');
    after_point += point ? 1 : 0;
  }
  if (digits >= 1'000'000'000'000'000) return std::nullopt;
  // Both are exact, so the quotient is the double nearest to the decimal.
  const double value = static_cast<double>(digits) / kPowers[after_point];
  return negative && digits != 0 ? -value : value;
}

}  // namespace

std::optional<NearestNumber> nearest_number(std::string_view text) {
  if (const auto value = read_short(text)) return NearestNumber{*value, true};
  double value = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || !std::isfinite(value)) return std::nullopt;
  if (value == 0) value = 0;  // Drops the sign.
  return NearestNumber{value, false};
}

bool is_comparable(std::string_view text, double nearest) {
  std::array<char, 32> buffer;
  const auto [end, no_room] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), nearest);
  const std::string_view shortest(buffer.data(), end);
  // Most writers of JSON write the shortest form too, which needs no taking apart.
  return shortest == text || read_decimal(shortest) == read_decimal(text);
}

std::optional<double> comparable_number(std::string_view text) {
  const auto number = nearest_number(text);
  if (!number) return std::nullopt;
  if (number->comparable || is_comparable(text, number->value)) return number->value;
  return std::nullopt;
}

}  // namespace headrace
