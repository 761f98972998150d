#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace headrace {

using Sha256 = std::array<unsigned char, 32>;

/// The digest of `first` and `second`, one behind the other. Any thread.
Sha256 sha256(std::string_view first, std::string_view second = {});
/// The digest of all of them, one behind the other. Any thread.
Sha256 sha256(const std::vector<std::string>& pieces);

/// A key for HMAC-SHA256 (RFC 2104), made ready once. Wiped when it ends. Any thread may use one.
class MacKey {
 public:
  explicit MacKey(std::string_view key);
  MacKey(const MacKey&) = default;
  MacKey& operator=(const MacKey&) = default;
  ~MacKey();

  Sha256 mac(std::string_view text) const;

 private:
  std::array<char, 64> inner_{};
  std::array<char, 64> outer_{};
};

/// The bytes of a digest as they are, and as lower-case hex.
std::string_view bytes_of(const Sha256& digest);
std::string hex_of(const Sha256& digest);

}  // namespace headrace
