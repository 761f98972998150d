#include "query/engine_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>

namespace headrace {
namespace {

constexpr std::int64_t kMicros = 1'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;

template <class Real>
bool append_real(std::string& out, Real value) {
  if (std::isnan(value)) {
    out += "nan";
    return false;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-inf" : "inf";
    return false;
  }
  const std::size_t from = out.size();
  fmt::format_to(std::back_inserter(out), "{}", value);
  if (out.find_first_of(".e", from) == std::string::npos) out += ".0";
  return true;
}

/// ".25" of a fraction that has as many digits as `per_second` has zeros; nothing for zero.
void append_fraction(std::string& out, std::int64_t ticks, std::int64_t per_second) {
  if (ticks == 0) return;
  std::string digits = std::to_string(per_second + ticks).substr(1);
  digits.resize(digits.find_last_not_of('0') + 1);
  out += '.';
  out += digits;
}

void append_part(std::string& out, std::int64_t count, std::string_view unit, std::size_t from) {
  if (count == 0) return;
  if (out.size() > from) out += ' ';
  fmt::format_to(std::back_inserter(out), "{} {}{}", count, unit,
                 count == 1 || count == -1 ? "" : "s");
}

/// The UTC offset "+02", "-05:30", "+00:00:30".
void append_offset(std::string& out, std::int32_t seconds) {
  const std::int32_t size = std::abs(seconds);
  fmt::format_to(std::back_inserter(out), "{}{:02}", seconds < 0 ? '-' : '+', size / 3600);
  if (size % 3600 != 0) fmt::format_to(std::back_inserter(out), ":{:02}", size / 60 % 60);
  if (size % 60 != 0) fmt::format_to(std::back_inserter(out), ":{:02}", size % 60);
}

}  // namespace

void append_unsigned(std::string& out, UInt128 value) {
  char digits[40];
  char* at = std::end(digits);
  do {
    *--at = static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value > 0);
  out.append(at, std::end(digits));
}

void append_integer(std::string& out, Int128 value) {
  if (value < 0) out += '-';
  // Negated as unsigned: the least value has no positive twin.
  append_unsigned(out, value < 0 ? -static_cast<UInt128>(value) : static_cast<UInt128>(value));
}

void append_decimal(std::string& out, Int128 unscaled, int scale) {
  std::string digits;
  append_unsigned(digits,
                  unscaled < 0 ? -static_cast<UInt128>(unscaled) : static_cast<UInt128>(unscaled));
  const auto fraction = static_cast<std::size_t>(scale);
  if (digits.size() <= fraction) digits.insert(0, fraction + 1 - digits.size(), '0');
  if (unscaled < 0) out += '-';
  out.append(digits, 0, digits.size() - fraction);
  if (fraction > 0) out.append(1, '.').append(digits, digits.size() - fraction);
}

bool append_double(std::string& out, double value) { return append_real(out, value); }
bool append_float(std::string& out, float value) { return append_real(out, value); }

void append_blob(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F || c == '\\' || c == '\'' || c == '"') {
      fmt::format_to(std::back_inserter(out), "\\x{:02X}", byte);
    } else {
      out += c;
    }
  }
}

void append_bits(std::string& out, std::string_view bits) {
  if (bits.size() < 2) return;
  const std::size_t padding = static_cast<unsigned char>(bits[0]);
  const std::string_view bytes = bits.substr(1);
  for (std::size_t i = padding; i < bytes.size() * 8; ++i) {
    out += (static_cast<unsigned char>(bytes[i / 8]) >> (7 - i % 8) & 1) != 0 ? '1' : '0';
  }
}

void append_uuid(std::string& out, duckdb_hugeint value) {
  // Kept with its top bit turned, so that its order as a number is that of its text.
  const std::uint64_t high = static_cast<std::uint64_t>(value.upper) ^ (1ull << 63);
  fmt::format_to(std::back_inserter(out), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32,
                 high >> 16 & 0xFFFF, high & 0xFFFF, value.lower >> 48,
                 value.lower & 0xFFFF'FFFF'FFFF);
}

void append_interval(std::string& out, duckdb_interval value) {
  const std::size_t from = out.size();
  append_part(out, value.months / 12, "year", from);
  append_part(out, value.months % 12, "month", from);
  append_part(out, value.days, "day", from);
  if (value.micros == 0 && out.size() > from) return;
  if (out.size() > from) out += ' ';
  if (value.micros < 0) out += '-';
  const std::uint64_t micros = value.micros < 0 ? -static_cast<std::uint64_t>(value.micros)
                                                : static_cast<std::uint64_t>(value.micros);
  const std::uint64_t seconds = micros / kMicros;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  append_fraction(out, static_cast<std::int64_t>(micros % kMicros), kMicros);
}

void append_date(std::string& out, duckdb_date date) {
  if (!duckdb_is_finite_date(date)) {
    out += date.days < 0 ? "-infinity" : "infinity";
    return;
  }
  const duckdb_date_struct parts = duckdb_from_date(date);
  const bool before_christ = parts.year <= 0;
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}{}",
                 before_christ ? 1 - parts.year : parts.year, static_cast<int>(parts.month),
                 static_cast<int>(parts.day), before_christ ? " (BC)" : "");
}

void append_time_of_day(std::string& out, std::int64_t ticks, std::int64_t per_second) {
  const std::int64_t seconds = ticks / per_second;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  append_fraction(out, ticks % per_second, per_second);
}

void append_time_tz(std::string& out, duckdb_time_tz time) {
  const duckdb_time_tz_struct parts = duckdb_from_time_tz(time);
  const std::int64_t seconds = parts.time.hour * 3600 + parts.time.min * 60 + parts.time.sec;
  append_time_of_day(out, seconds * kMicros + parts.time.micros, kMicros);
  append_offset(out, parts.offset);
}

void append_timestamp(std::string& out, std::int64_t ticks, std::int64_t per_second,
                      std::string_view suffix) {
  constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
  if (ticks == kForEver || ticks == -kForEver) {
    out += ticks < 0 ? "-infinity" : "infinity";
    return;
  }
  const std::int64_t per_day = kSecondsPerDay * per_second;
  const std::int64_t day = ticks / per_day - (ticks % per_day < 0 ? 1 : 0);
  append_date(out, {static_cast<std::int32_t>(day)});
  out += ' ';
  append_time_of_day(out, ticks - day * per_day, per_second);
  out += suffix;
}

}  // namespace headrace
