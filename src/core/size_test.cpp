#include "core/size.h"

#include <gtest/gtest.h>

#include <limits>

namespace headrace {
namespace {

TEST(Size, IsReadInBinaryAndDecimalUnits) {
  const std::pair<std::string_view, std::uint64_t> cases[] = {
      {"0", 0},
      {"512", 512},
      {"512B", 512},
      {"64KiB", 65536},
      {"64KB", 64000},
      {"128MiB", 128 << 20},
      {"5GB", 5'000'000'000},
      {"5GiB", 5ULL << 30},
      {"2TiB", 2ULL << 40},
      {"2TB", 2'000'000'000'000},
      {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()}};
  for (const auto& [text, bytes] : cases) EXPECT_EQ(parse_size(text), bytes) << text;
}

TEST(Size, IsNotReadOutOfOtherText) {
  for (const std::string_view text : {"", "B", "KiB", "-1", "+1", "1.5GiB", "1 KiB", "1kib", "1K",
                                      "1KiB ", "18446744073709551616", "16777216TiB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Size, IsWrittenForPeople) {
  const std::pair<std::uint64_t, std::string_view> cases[] = {
      {0, "0 B"},
      {1023, "1023 B"},
      {1024, "1 KiB"},
      {1536, "1.5 KiB"},
      {65536, "64 KiB"},
      {10239, "10 KiB"},
      {102'348, "99.9 KiB"},
      {102'399, "100 KiB"},
      {1'048'575, "1 MiB"},
      {(3ULL << 30) / 2, "1.5 GiB"},
      {std::numeric_limits<std::uint64_t>::max(), "16 EiB"}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(format_size(bytes), text) << bytes;
}

}  // namespace
}  // namespace headrace
