#include "route/text_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::uint32_t> found_in(const TextFinder& finder, std::string_view text) {
  TextFinder::Scratch scratch;
  std::vector<std::uint32_t> out;
  finder.find(text, scratch, out);
  std::ranges::sort(out);
  return out;
}

TEST(TextFinder, FindsTextsInsideOfEachOther) {
  const TextFinder finder({{"he", 1}, {"she", 2}, {"his", 3}, {"hers", 4}, {"he", 5}});
  EXPECT_THAT(found_in(finder, "ushers"), ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(found_in(finder, "hhis"), ElementsAre(3));
  EXPECT_THAT(found_in(finder, "x"), IsEmpty());
}

TEST(TextFinder, WithoutTextsFindsNothing) {
  EXPECT_TRUE(TextFinder().empty());
  EXPECT_TRUE(TextFinder(std::vector<TextFinder::Entry>()).empty());
}

TEST(TextFinder, TellsEachTextOnceHoweverOftenItOccurs) {
  const TextFinder finder({{"a", 1}, {"aa", 2}, {"aaa", 3}});
  EXPECT_THAT(found_in(finder, std::string(100'000, 'a')), ElementsAre(1, 2, 3));
}

TEST(TextFinder, AgreesWithLookingForEachTextByItself) {
  SeededRandom random(5);
  const auto word = [&](std::uint64_t most) {
    std::string out;
    for (auto n = random.below(most) + 1; n > 0; --n) {
      out.push_back(static_cast<char>("ab\0\xFF"[random.below(4)]));
    }
    return out;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> texts;
    for (auto n = random.below(20) + 1; n > 0; --n) texts.push_back(word(5));
    std::vector<TextFinder::Entry> entries;
    for (const std::string& text : texts) {
      entries.emplace_back(text, static_cast<std::uint32_t>(entries.size()));
    }
    const TextFinder finder(entries);
    const std::string text = word(30);
    std::vector<std::uint32_t> expected;
    for (const auto& [part, number] : entries) {
      if (text.contains(part)) expected.push_back(number);
    }
    ASSERT_EQ(found_in(finder, text), expected);
  }
}

}  // namespace
}  // namespace headrace
