#include "event/producer_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/base64.h"

namespace headrace {
namespace {

constexpr std::size_t kHexDigits = 16;
constexpr std::size_t kDecimalDigits = 20;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Upper case; empty unless all of it is hexadecimal digits.
std::string upper_hex(std::string_view hex) {
  std::string out;
  out.reserve(std::max(hex.size(), kHexDigits));
  for (const char c : hex) {
    const int value = hex_value(c);
    if (value < 0) return {};
    out.push_back("0123456789ABCDEF"[value]);
  }
  return out;
}

/// A number's digits with zeros before them, so that all are equally long.
std::string padded_number(std::string digits, std::size_t width) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > width) return {};
  digits.insert(0, width - digits.size(), '0');
  return digits;
}

std::uint32_t word_at(std::string_view hex, std::size_t at) {
  std::uint32_t value = 0;
  std::from_chars(hex.data() + at, hex.data() + at + 8, value, 16);
  return value;
}

}  // namespace

std::string decode_form_key(std::string_view encoded) {
  std::string out;
  out.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    const char c = encoded[i];
    if (c == ' ') return std::string(encoded);
    if (c == '+') {
      out.push_back(' ');
    } else if (c != '%') {
      out.push_back(c);
    } else {
      const int high = i + 2 < encoded.size() ? hex_value(encoded[i + 1]) : -1;
      const int low = high < 0 ? -1 : hex_value(encoded[i + 2]);
      if (low < 0) return std::string(encoded);
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

std::string aws_sequencer(std::string_view hex) {
  if (hex.size() == kHexDigits + 2 && hex.starts_with("00")) hex.remove_prefix(2);
  std::string out = upper_hex(hex);
  if (out.empty()) return out;
  out.resize(std::max(out.find_last_not_of('0') + 1, kHexDigits), '0');
  return out;
}

std::string number_sequencer(std::string_view hex) {
  std::string digits = upper_hex(hex);
  return digits.empty() ? digits : padded_number(std::move(digits), kHexDigits);
}

std::string ceph_sequencer(std::string_view hex) {
  const std::string digits = upper_hex(hex);
  if (digits.size() != kHexDigits) return {};
  return fmt::format("{:08X}{:08X}", __builtin_bswap32(word_at(digits, 0)),
                     __builtin_bswap32(word_at(digits, 8)));
}

std::string versitygw_sequencer(std::string_view hex, std::optional<Time> time) {
  const std::string count = number_sequencer(hex);
  if (count.empty() || !time || *time < Time()) return {};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count();
  return fmt::format("{:010X}{}", seconds, count);
}

std::string gcs_sequencer(std::string_view decimal) {
  if (decimal.empty() || decimal.find_first_not_of("0123456789") != decimal.npos) return {};
  return padded_number(std::string(decimal), kDecimalDigits);
}

std::optional<Time> time_of_ceph_sequencer(std::string_view canonical) {
  if (canonical.size() != kHexDigits) return std::nullopt;
  const std::uint32_t nanoseconds = word_at(canonical, 8);
  if (nanoseconds >= 1'000'000'000) return std::nullopt;
  return Time(std::chrono::seconds(word_at(canonical, 0)) +
              std::chrono::microseconds(nanoseconds / 1000));
}

std::string_view without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) {
    return etag.substr(1, etag.size() - 2);
  }
  return etag;
}

std::optional<std::string> base64_to_hex(std::string_view base64) {
  const auto bytes = from_base64(base64);
  if (!bytes) return std::nullopt;
  std::string out;
  for (const char c : *bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace headrace
