#include "format/jsonl/number.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "core/random.h"

namespace headrace::jsonl {
namespace {

TEST(Number, RefusesWhatJsonDoesNotSpell) {
  for (const char* text : {"", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1.e3", "0x1", "1 ",
                           "NaN", "Infinity", "1.5.2", "--1", "1e3.0", "1\"x\""}) {
    EXPECT_FALSE(parse_number(text)) << text;
    EXPECT_FALSE(parse_integer(text)) << text;
    EXPECT_FALSE(parse_double(text)) << text;
    EXPECT_FALSE(parse_float(text)) << text;
  }
}

TEST(Number, KnowsWholeNumbersHoweverSpelled) {
  const auto whole = [](const char* text) { return to_integer(*parse_number(text)); };
  EXPECT_EQ(whole("3.0"), 3);
  EXPECT_EQ(whole("1e3"), 1'000);
  EXPECT_EQ(whole("1500e-2"), 15);
  EXPECT_EQ(whole("0.000"), 0);
  EXPECT_EQ(whole("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(whole("9223372036854775808"), std::nullopt);
  EXPECT_EQ(whole("1e400000000000"), std::nullopt);
  EXPECT_EQ(whole("-0"), std::nullopt);
  EXPECT_EQ(whole("0.5"), std::nullopt);
  EXPECT_EQ(parse_integer("-0"), std::nullopt);
  EXPECT_EQ(parse_integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_integer("99999999999999999999"), std::nullopt);
}

TEST(Number, ScalesToDecimals) {
  const auto decimal = [](const char* text, int precision, int scale) {
    return to_decimal(*parse_number(text), precision, scale);
  };
  EXPECT_TRUE(decimal("1.5", 5, 2) == Int128(150));
  EXPECT_TRUE(decimal("-1.50000", 5, 2) == Int128(-150));
  EXPECT_FALSE(decimal("1000", 5, 2).has_value());
  EXPECT_FALSE(decimal("0.001", 5, 2).has_value());
  EXPECT_TRUE(decimal("99999999999999999999999999999999999999", 38, 0).has_value());
  EXPECT_FALSE(decimal("100000000000000000000000000000000000000", 38, 0).has_value());
  EXPECT_FALSE(decimal("5e37", 38, 1).has_value());
  EXPECT_TRUE(decimal("5e36", 38, 1).has_value());
}

TEST(Double, TakesEveryShortestSpellingAndEvery17Digits) {
  SeededRandom random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = random.next();
    double value = 0;
    static_assert(sizeof value == sizeof bits);
    std::memcpy(&value, &bits, sizeof value);
    if (i % 2 == 0) value = static_cast<double>(bits >> 20) / 1e6;
    if (!std::isfinite(value)) continue;
    char shortest[64];
    const auto end = std::to_chars(shortest, shortest + sizeof shortest, value).ptr;
    EXPECT_EQ(parse_double({shortest, static_cast<std::size_t>(end - shortest)}), value)
        << shortest;
    const std::string full = fmt::format("{:.16e}", value);
    EXPECT_EQ(parse_double(full), value) << full;
    const std::string fixed = fmt::format("{:.15f}", value);
    if (std::fabs(value) > 1 && std::fabs(value) < 1e15) {
      EXPECT_EQ(parse_double(fixed), std::stod(fixed)) << fixed;
    }
  }
}

TEST(Double, TakesEveryShortNumber) {
  SeededRandom random(2);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = fmt::format("{}{}.{:05}", random.below(2) == 0 ? "-" : "",
                                         random.below(1'000'000), random.below(100'000));
    EXPECT_EQ(parse_double(text), std::stod(text)) << text;
  }
}

TEST(Double, RefusesWhatItWouldRound) {
  for (const char* text : {"9007199254740993", "0.12345678901234567890", "1e400", "1e-400",
                           "123456789012345678901234567890", "0.123456789012345678",
                           "100000000000000000000000000000000000000001"}) {
    EXPECT_FALSE(parse_double(text)) << text;
  }
}

TEST(Double, KeepsTheSignOfZero) {
  EXPECT_TRUE(std::signbit(*parse_double("-0")));
  EXPECT_TRUE(std::signbit(*parse_double("-0.0e5")));
  EXPECT_FALSE(std::signbit(*parse_double("0.0")));
}

}  // namespace
}  // namespace headrace::jsonl
