#include "format/jsonl/number.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <system_error>

namespace headrace::jsonl {
namespace {

constexpr int kMaxDigits = 38;       // What decimal types can hold; 128 bits can hold a bit more.
constexpr int kSafeDigits = 15;      // Any number of so few digits survives a double,
constexpr int kSafeFloatDigits = 6;  // or a float.
constexpr int kExactPower = 22;      // 10^22 is the largest power of ten that is a double.
constexpr int kPrintedDigits = 400;  // Spelled longer, a number counts as inexact.

constexpr std::array<double, kExactPower + 1> kPowers = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr auto kWholePowers = [] {
  std::array<Uint128, kMaxDigits + 1> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

Uint128 power_of_ten(int exponent) { return kWholePowers[static_cast<std::size_t>(exponent)]; }

void take_digit(Number& number, char c) {
  if (number.digit_count == 0 && c == '0') return;
  ++number.digit_count;
  if (number.digit_count <= kMaxDigits) {
    number.digits = number.digits * 10 + static_cast<unsigned>(c - '0');
  } else {
    number.exact = false;
    ++number.exponent;
  }
}

bool take_exponent(const char*& at, const char* end, Number& number) {
  bool minus = false;
  if (at < end && (*at == '+' || *at == '-')) minus = *at++ == '-';
  if (at == end) return false;
  std::int64_t exponent = 0;
  for (; at < end && is_digit(*at); ++at) {
    if (exponent < 1'000'000'000) exponent = exponent * 10 + (*at - '0');
  }
  number.exponent += minus ? -exponent : exponent;
  return at == end && is_digit(end[-1]);
}

/// Is `value`, printed with the digits of `number`, that number? Both are finite and not zero.
bool prints_as(double value, const Number& number, BytesView token) {
  if (number.digit_count > kPrintedDigits) return false;
  fmt::memory_buffer printed;
  fmt::format_to(std::back_inserter(printed), "{:.{}e}", std::fabs(value), number.digit_count - 1);
  // Compare digit by digit with the token, then the place of the first digit.
  const char* digit = printed.data();
  int left = number.digit_count;
  for (const char c : token) {
    if (c == 'e' || c == 'E') break;
    if (!is_digit(c) || (left == number.digit_count && c == '0')) continue;
    if (*digit == '.') ++digit;
    if (*digit++ != c) return false;
    --left;
  }
  int exponent = 0;
  const char* mark = std::find(printed.data(), printed.data() + printed.size(), 'e');
  if (mark[1] == '+') ++mark;
  std::from_chars(mark + 1, printed.data() + printed.size(), exponent);
  const std::int64_t beyond_exact = std::max(0, number.digit_count - kMaxDigits);
  return exponent == number.exponent + number.digit_count - beyond_exact - 1;
}

/// The question of prints_as() by whole numbers where they fit 128 bits: is |value| within half a
/// unit of the last digit? nullopt if they do not fit.
std::optional<bool> is_near(double value, const Number& number) {
  if (number.exponent > 0 || number.exponent < -kExactPower || !number.exact) {
    return std::nullopt;
  }
  const auto bits = std::bit_cast<std::uint64_t>(std::fabs(value));
  const int shift = 1075 - static_cast<int>(bits >> 52);  // value = significand / 2^shift
  if (shift < 1 || shift > 63 + 52 || (bits >> 52) == 0) return std::nullopt;
  const std::uint64_t significand = (bits & ((1ull << 52) - 1)) | (1ull << 52);
  const Uint128 scaled = significand * power_of_ten(static_cast<int>(-number.exponent));
  if (number.digits >> (127 - shift) != 0) return std::nullopt;
  const Uint128 spelled = number.digits << shift;
  const Uint128 distance = scaled > spelled ? scaled - spelled : spelled - scaled;
  return distance <= Uint128(1) << (shift - 1);
}

template <class Float>
std::optional<Float> nearest(BytesView token) {
  Float value{};
  const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (failed != std::errc{} || end != token.data() + token.size()) return std::nullopt;
  return value;
}

/// Digits with or without a point, few enough for a double: what nearly all numbers are. nullopt
/// for whatever needs a closer look.
std::optional<double> parse_short_double(BytesView token) {
  const char* at = token.data();
  const char* end = at + token.size();
  const bool negative = at < end && *at == '-';
  if (negative) ++at;
  if (end - at > kSafeDigits + 1 || at == end || !is_digit(*at)) return std::nullopt;
  if (*at == '0' && at + 1 < end && at[1] != '.') return std::nullopt;
  std::int64_t digits = 0;
  for (; at < end && is_digit(*at); ++at) digits = digits * 10 + (*at - '0');
  const char* point = end;
  if (at < end) {
    if (*at != '.' || at + 1 == end) return std::nullopt;
    point = ++at;
    for (; at < end && is_digit(*at); ++at) digits = digits * 10 + (*at - '0');
    if (at != end) return std::nullopt;
  } else if (end - token.data() > kSafeDigits) {
    return std::nullopt;
  }
  // Both are doubles without loss, so that one operation rounds right.
  const double value = static_cast<double>(digits) / kPowers[static_cast<std::size_t>(end - point)];
  return negative ? -value : value;
}

/// Eight digits at once, if there are eight.
bool take_eight(const char* at, std::uint64_t& digits) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t high = word & 0xF0F0F0F0F0F0F0F0;
  const std::uint64_t above_nine = (word + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0;
  if (high != 0x3030303030303030 || above_nine != 0x3030303030303030) return false;
  word = (word & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
  word = (word & 0x00FF00FF00FF00FF) * 6553601 >> 16;
  digits = digits * 100'000'000 + ((word & 0x0000FFFF0000FFFF) * 42949672960001 >> 32);
  return true;
}

const char* take_digits(const char* at, const char* end, std::uint64_t& digits) {
  while (end - at >= 8 && take_eight(at, digits)) at += 8;
  for (; at < end && is_digit(*at); ++at) digits = digits * 10 + static_cast<unsigned>(*at - '0');
  return at;
}

/// "-122.422003528252475": a point and at most 19 digits, as programs print doubles. nullopt for
/// whatever needs a closer look.
std::optional<double> parse_long_double(BytesView token) {
  constexpr std::ptrdiff_t kMostDigits = 19;
  const char* at = token.data();
  const char* end = at + token.size();
  Number number;
  number.negative = at < end && *at == '-';
  if (number.negative) ++at;
  if (end - at > kMostDigits + 1) return std::nullopt;
  const char* begin = at;
  std::uint64_t digits = 0;
  at = take_digits(at, end, digits);
  if (at == begin || (*begin == '0' && at - begin > 1) || at == end || *at != '.') {
    return std::nullopt;
  }
  const char* fraction = ++at;
  at = take_digits(at, end, digits);
  if (at != end || at == fraction || digits == 0) return std::nullopt;
  number.digits = digits;
  number.exponent = fraction - at;
  double value = 0;
  if (!simdjson::builtin::numberparsing::compute_float_64(number.exponent, digits, false, value)) {
    return std::nullopt;
  }
  const auto near = is_near(value, number);
  if (!near || !*near) return std::nullopt;
  return number.negative ? -value : value;
}

double signed_zero(const Number& number) { return number.negative ? -0.0 : 0.0; }

}  // namespace

std::optional<Number> parse_number(BytesView token) {
  Number number;
  const char* at = token.data();
  const char* end = at + token.size();
  if (at < end && *at == '-') {
    number.negative = true;
    ++at;
  }
  if (at == end || !is_digit(*at)) return std::nullopt;
  if (*at == '0' && at + 1 < end && is_digit(at[1])) return std::nullopt;
  for (; at < end && is_digit(*at); ++at) take_digit(number, *at);
  if (at < end && *at == '.') {
    number.fraction = true;
    if (++at == end || !is_digit(*at)) return std::nullopt;
    for (; at < end && is_digit(*at); ++at) {
      take_digit(number, *at);
      --number.exponent;
    }
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    number.fraction = true;
    ++at;
    if (!take_exponent(at, end, number)) return std::nullopt;
  }
  if (at != end) return std::nullopt;
  return number;
}

std::optional<std::int64_t> parse_integer(BytesView token) {
  const bool negative = !token.empty() && token[0] == '-';
  const std::size_t digits = token.size() - (negative ? 1 : 0);
  if (digits == 0 || digits > 19) return std::nullopt;
  const char* at = token.data() + (negative ? 1 : 0);
  const char* end = token.data() + token.size();
  if (*at == '0' && (digits > 1 || negative)) return std::nullopt;
  std::uint64_t value = 0;  // 19 digits fit.
  for (; at < end; ++at) {
    if (!is_digit(*at)) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(*at - '0');
  }
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value > kMax + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - value : value);
}

std::optional<Int128> to_decimal(const Number& number, int precision, int scale) {
  if (!number.exact) return std::nullopt;
  if (number.digits == 0) {
    return number.negative ? std::nullopt : std::optional<Int128>(0);
  }
  Uint128 digits = number.digits;
  std::int64_t exponent = number.exponent + scale;
  for (; exponent < 0 && digits % 10 == 0; ++exponent) digits /= 10;
  if (exponent < 0 || exponent > kMaxDigits) return std::nullopt;
  const Uint128 limit = power_of_ten(precision);
  for (; exponent > 0; --exponent) {
    if (digits >= limit / 10) return std::nullopt;
    digits *= 10;
  }
  if (digits >= limit) return std::nullopt;
  const auto value = static_cast<Int128>(digits);
  return number.negative ? -value : value;
}

std::optional<std::int64_t> to_integer(const Number& number) {
  const auto whole = to_decimal(number, kMaxDigits, 0);
  if (!whole || *whole > std::numeric_limits<std::int64_t>::max() ||
      *whole < std::numeric_limits<std::int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*whole);
}

std::optional<double> parse_double(BytesView token) {
  if (const auto quick = parse_short_double(token)) return quick;
  if (const auto quick = parse_long_double(token)) return quick;
  const auto number = parse_number(token);
  if (!number) return std::nullopt;
  if (number->digits == 0) return signed_zero(*number);
  const std::int64_t exponent = number->exponent;
  if (number->digit_count <= kSafeDigits && exponent >= -kExactPower && exponent <= kExactPower) {
    const auto whole = static_cast<double>(static_cast<std::int64_t>(number->digits));
    const double value = exponent < 0 ? whole / kPowers[static_cast<std::size_t>(-exponent)]
                                      : whole * kPowers[static_cast<std::size_t>(exponent)];
    return number->negative ? -value : value;
  }
  const auto value = nearest<double>(token);
  if (!value || *value == 0) return std::nullopt;
  const auto near = is_near(*value, *number);
  const bool lossless = near ? *near : prints_as(*value, *number, token);
  return lossless ? value : std::nullopt;
}

std::optional<float> parse_float(BytesView token) {
  const auto number = parse_number(token);
  if (!number) return std::nullopt;
  if (number->digits == 0) return static_cast<float>(signed_zero(*number));
  const auto value = nearest<float>(token);
  if (!value || *value == 0) return std::nullopt;
  const bool safe = number->digit_count <= kSafeFloatDigits && std::fabs(*value) > 1e-30f;
  return safe || prints_as(*value, *number, token) ? value : std::nullopt;
}

}  // namespace headrace::jsonl
