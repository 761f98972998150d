#include "core/base64.h"

#include <array>
#include <cstdint>

namespace headrace {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 64;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < group.size() ? static_cast<unsigned char>(group[j]) : 0);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out.push_back(j <= group.size() ? kDigits[bits >> (18 - 6 * j) & 63] : '=');
    }
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] != '='; ++digits) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(text[digits])];
    if (value == kNoDigit) return std::nullopt;
    bits = (bits << 6 | value) & 0xFFFFFF;
    const std::size_t have = digits % 4;  // This digit completes byte number `have` of its group.
    if (have > 0) out.push_back(static_cast<char>(bits >> (6 - 2 * have) & 0xFF));
  }
  const std::string_view padding = text.substr(digits);
  if (padding.size() > 2 || padding.find_first_not_of('=') != padding.npos) return std::nullopt;
  const std::uint32_t unused = padding.size() == 2 ? 0xF : padding.size() == 1 ? 0x3 : 0;
  if ((bits & unused) != 0) return std::nullopt;
  return out;
}

}  // namespace headrace
