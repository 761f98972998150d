#include "route/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace headrace {
namespace {

constexpr std::size_t kMaxV4 = 15;  // "255.255.255.255"
constexpr std::size_t kMaxV6 = 39;  // Eight groups of four.

/// The decimal number that is all of `text`; -1 if it is none or over `most`.
int decimal(std::string_view text, int most) {
  int value = -1;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = end == text.data() + text.size() && !text.starts_with('-');
  return failed == std::errc{} && whole && value <= most ? value : -1;
}

std::optional<IpAddress> parse_v4(std::string_view text) {
  if (text.size() > kMaxV4) return std::nullopt;
  IpAddress out;
  for (std::size_t part = 0; part < 4; ++part) {
    const std::size_t dot = part < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const int value = decimal(text.substr(0, dot), 255);
    if (value < 0) return std::nullopt;
    out.bytes[part] = static_cast<std::uint8_t>(value);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return out;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
  if (text.size() > kMaxV6) return std::nullopt;
  IpAddress out{.v6 = true};
  if (inet_pton(AF_INET6, std::string(text).c_str(), out.bytes.data()) != 1) return std::nullopt;
  static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (!std::equal(kMapped.begin(), kMapped.end(), out.bytes.begin())) return out;
  IpAddress v4;
  std::copy(out.bytes.begin() + 12, out.bytes.end(), v4.bytes.begin());
  return v4;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.find_first_not_of("0123456789.") == std::string_view::npos) return parse_v4(text);
  if (text.find_first_not_of("0123456789abcdefABCDEF:") == std::string_view::npos) {
    return parse_v6(text);
  }
  return std::nullopt;
}

bool Cidr::contains(const IpAddress& address) const {
  if (address.v6 != base.v6) return false;
  for (int bit = 0; bit < bits; bit += 8) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const int spare = std::max(0, bit + 8 - bits);  // Bits of this byte after the mask.
    if ((address.bytes[at] ^ base.bytes[at]) >> spare != 0) return false;
  }
  return true;
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto base = parse_ip(text.substr(0, slash));
  if (!base) return std::nullopt;
  const int bits = decimal(text.substr(slash + 1), base->v6 ? 128 : 32);
  if (bits < 0) return std::nullopt;
  return Cidr{*base, bits};
}

}  // namespace headrace
