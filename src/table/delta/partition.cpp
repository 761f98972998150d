#include "table/delta/partition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "core/clock.h"
#include "core/error.h"
#include "core/utf8.h"

namespace headrace::delta {
namespace {

constexpr std::string_view kHiveNull = "__HIVE_DEFAULT_PARTITION__";
constexpr std::string_view kHiveEscaped = "\"#%'*/:=?\\{[]^";
constexpr std::string_view kUriEscaped = " <>{}|`\"#%?[\\]^";

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_escape(std::string& out, char c) {
  out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
}

using Spelled = std::optional<std::string>;  // nullopt: no value of the type.

Spelled spell_integer(std::string_view text, std::int64_t least, std::int64_t most) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < least || value > most) return std::nullopt;
  return fmt::format("{}", value);
}

template <class Integer>
Spelled spell_integer(std::string_view text) {
  return spell_integer(text, std::numeric_limits<Integer>::min(),
                       std::numeric_limits<Integer>::max());
}

/// Shortest digits in the layout of Java's Double.toString: 1.0E7, 0.001, 123.0.
template <class Float>
std::string java_text(Float value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  const Float size = std::abs(value);
  char buffer[64];
  const bool plain = size == 0 || (size >= Float(1e-3) && size < Float(1e7));
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr;
  std::string text(buffer, end);
  if (plain) return text.contains('.') ? text : text + ".0";
  // C++ writes 1e+07: the mantissa needs a fraction, the exponent neither plus nor zeros.
  const std::size_t e = text.find('e');
  std::string mantissa = text.substr(0, e);
  if (!mantissa.contains('.')) mantissa += ".0";
  std::string_view exponent = std::string_view(text).substr(e + 1);
  const bool negative = exponent.starts_with('-');
  exponent.remove_prefix(1);
  while (exponent.size() > 1 && exponent.front() == '0') exponent.remove_prefix(1);
  return fmt::format("{}E{}{}", mantissa, negative ? "-" : "", exponent);
}

template <class Float>
Spelled spell_float(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return std::string(text);
  if (text.empty() || (!is_digit(text.back()) && text.back() != '.')) return std::nullopt;
  Float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return java_text(value);
}

Spelled spell_decimal(std::string_view text, const DataType& type) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  std::string whole(text.substr(0, point));
  std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (!std::ranges::all_of(whole + fraction, is_digit)) return std::nullopt;
  const auto scale = static_cast<std::size_t>(type.scale);
  while (fraction.size() > scale && fraction.ends_with('0')) fraction.pop_back();
  if (fraction.size() > scale) return std::nullopt;
  fraction.resize(scale, '0');
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.size() + scale > static_cast<std::size_t>(type.precision)) return std::nullopt;
  if (whole.empty()) whole = "0";
  const bool zero = std::ranges::all_of(whole + fraction, [](char c) { return c == '0'; });
  return fmt::format("{}{}{}{}", negative && !zero ? "-" : "", whole, scale > 0 ? "." : "",
                     fraction);
}

std::optional<Time> parse_moment(std::string text, bool zoned) {
  if (text.size() > 10 && text[10] == ' ') text[10] = 'T';
  if (text.size() == 10) text += "T00:00:00";
  // Without a zone it is UTC by the specification. A zone of our own may only be UTC's.
  const bool has_zone =
      text.find_first_of("Zz+", 11) != std::string::npos || text.find('-', 11) != std::string::npos;
  if (has_zone && !zoned) return std::nullopt;
  if (!has_zone) text += 'Z';
  return parse_time(text);
}

Spelled spell_timestamp(std::string_view text, bool zoned) {
  const auto time = parse_moment(std::string(text), zoned);
  if (!time) return std::nullopt;
  const auto day = std::chrono::floor<std::chrono::days>(*time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(*time - day);
  return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}.{:06}{}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     zoned ? 'T' : ' ', clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count(), clock.subseconds().count(), zoned ? "Z" : "");
}

Spelled spell_date(std::string_view text) {
  if (text.size() != 10 || !parse_time(std::string(text) + "T00:00:00Z")) return std::nullopt;
  return std::string(text);
}

Spelled spell_boolean(std::string_view text) {
  if (text != "true" && text != "false") return std::nullopt;
  return std::string(text);
}

Spelled spell(std::string_view text, const DataType& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return spell_boolean(text);
    case TypeKind::kByte:
      return spell_integer<std::int8_t>(text);
    case TypeKind::kShort:
      return spell_integer<std::int16_t>(text);
    case TypeKind::kInteger:
      return spell_integer<std::int32_t>(text);
    case TypeKind::kLong:
      return spell_integer<std::int64_t>(text);
    case TypeKind::kFloat:
      return spell_float<float>(text);
    case TypeKind::kDouble:
      return spell_float<double>(text);
    case TypeKind::kDecimal:
      return spell_decimal(text, type);
    case TypeKind::kString:
    case TypeKind::kBinary:
      return is_utf8(text) ? Spelled(text) : std::nullopt;
    case TypeKind::kDate:
      return spell_date(text);
    case TypeKind::kTimestamp:
      return spell_timestamp(text, true);
    case TypeKind::kTimestampNtz:
      return spell_timestamp(text, false);
    case TypeKind::kStruct:
    case TypeKind::kList:
    case TypeKind::kMap:
      return std::nullopt;
  }
  std::unreachable();
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> normal_partition_value(std::string_view column, const DataType& type,
                                                  const std::optional<std::string>& value) {
  if (!value || value->empty()) return std::nullopt;
  auto spelled = spell(*value, type);
  if (!spelled) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("partition column {}: '{}' is no {}", column, *value, to_string(type)));
  }
  return spelled;
}

std::string partition_folder(std::string_view column, const std::optional<std::string>& value) {
  std::string out;
  const auto escape = [&](std::string_view text) {
    for (const char c : text) {
      if (c == '\0') {
        throw Error(ErrorKind::kInvalid,
                    fmt::format("partition column {}: a value holds a NUL byte", column));
      }
      if (is_control(c) || kHiveEscaped.contains(c)) {
        append_escape(out, c);
      } else {
        out += c;
      }
    }
  };
  escape(column);
  out += '=';
  if (value && !value->empty()) {
    escape(*value);
  } else {
    out += kHiveNull;
  }
  return out;
}

std::string plain_folder(std::string_view folder) {
  std::string out;
  out.reserve(folder.size());
  for (const char c : folder) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
    if (letter || std::string_view("-_.=%").contains(c)) {
      out += c;
    } else {
      append_escape(out, c);
    }
  }
  return out;
}

std::string encode_path(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (const char c : path) {
    if (is_control(c) || static_cast<unsigned char>(c) >= 0x80 || kUriEscaped.contains(c)) {
      append_escape(out, c);
    } else {
      out += c;
    }
  }
  return out;
}

std::string decode_path(std::string_view encoded) {
  std::string out;
  out.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      out += encoded[i];
      continue;
    }
    const int high = i + 2 < encoded.size() ? hex_digit(encoded[i + 1]) : -1;
    const int low = i + 2 < encoded.size() ? hex_digit(encoded[i + 2]) : -1;
    if (high < 0 || low < 0) {
      out += encoded[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (out.starts_with("file:///")) return out.substr(7);
  if (out.starts_with("file:/")) return out.substr(5);
  return out;
}

bool is_absolute_path(std::string_view path) {
  if (path.starts_with('/')) return true;
  const std::size_t scheme = path.find("://");
  return scheme != std::string_view::npos && scheme > 0 &&
         std::ranges::all_of(path.substr(0, scheme), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-';
         });
}

}  // namespace headrace::delta
