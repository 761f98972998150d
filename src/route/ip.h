#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace headrace {

/// An internet address. An IPv4 address in IPv6 clothes (::ffff:0:0/96) is an IPv4 address.
struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  ///< IPv4 uses the first four.
  bool operator==(const IpAddress&) const = default;
};

/// Four decimal numbers with dots (leading zeros mean nothing, at most 15 characters), or
/// hexadecimal groups with colons; nullopt for all else.
std::optional<IpAddress> parse_ip(std::string_view text);

/// A block of addresses, as "10.0.0.0/8" or "2001:db8::/32". Bits after the mask do not count.
struct Cidr {
  IpAddress base;
  int bits = 0;

  bool contains(const IpAddress& address) const;
};

/// nullopt if `text` is no block.
std::optional<Cidr> parse_cidr(std::string_view text);

}  // namespace headrace
