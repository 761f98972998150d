#include "core/utf8.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

TEST(Utf8, TellsTheLengthOfTheFirstSequence) {
  const std::pair<std::string_view, std::size_t> cases[] = {
      {"", 0},
      {"a", 1},
      {"\x7F", 1},
      {"\xC2\x80", 2},
      {"\xDF\xBFx", 2},
      {"\xE0\xA0\x80", 3},
      {"\xED\x9F\xBF", 3},
      {"\xEE\x80\x80", 3},
      {"\xF0\x90\x80\x80", 4},
      {"\xF4\x8F\xBF\xBF", 4},
      {"\x80", 0},              // A continuation byte alone.
      {"\xC0\xAF", 0},          // Overlong '/'.
      {"\xC1\xBF", 0},          // Overlong.
      {"\xE0\x9F\xBF", 0},      // Overlong.
      {"\xED\xA0\x80", 0},      // A surrogate.
      {"\xF0\x8F\xBF\xBF", 0},  // Overlong.
      {"\xF4\x90\x80\x80", 0},  // Beyond U+10FFFF.
      {"\xF5\x80\x80\x80", 0},
      {"\xFF", 0},
      {"\xC3", 0},  // Cut off.
      {"\xE2\x82", 0},
      {"\xF0\x9F\xA6", 0},
      {"\xC3(", 0}};
  for (const auto& [text, length] : cases) {
    EXPECT_EQ(utf8_sequence_length(text), length) << testing::PrintToString(text);
  }
}

TEST(Utf8, IsAllOrNothing) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("aä€🦆"));
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
  EXPECT_FALSE(is_utf8("aä\xFF"));
  EXPECT_FALSE(is_utf8("ok\xE2\x82"));
}

}  // namespace
}  // namespace headrace
