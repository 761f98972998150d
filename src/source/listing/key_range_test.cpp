#include "source/listing/key_range.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

KeyShape shape_of(const std::vector<std::string>& keys) {
  KeyShape shape;
  for (const std::string& key : keys) shape.learn(key);
  shape.end_page();
  return shape;
}

/// The cuts' first bytes, which is all that says where they lie.
std::vector<std::string> starts(const std::vector<std::string>& cuts, std::size_t size) {
  std::vector<std::string> starts;
  for (const std::string& cut : cuts) starts.push_back(cut.substr(0, size));
  return starts;
}

std::vector<std::string> numbers(int from, int to) {
  std::vector<std::string> keys;
  for (int i = from; i < to; ++i) keys.push_back(fmt::format("{:06}.json", i));
  return keys;
}

TEST(KeyShape, CutsCountersAtTheirDigits) {
  const KeyShape shape = shape_of(numbers(0, 100));
  EXPECT_THAT(starts(shape.cuts({"in/", "in/000000.json", "in/500000.json"}, 5), 5),
              ElementsAre("in/10", "in/20", "in/30", "in/40"));
  // Nothing is known of the end: to the last digit.
  EXPECT_THAT(starts(shape.cuts({"in/", "in/000000.json", ""}, 4), 5),
              ElementsAre("in/25", "in/50", "in/75"));
}

TEST(KeyShape, KeepsSeparatorsWhereAllKeysHaveThem) {
  const KeyShape shape =
      shape_of({"2026-01-09T10:00:00Z", "2026-01-09T10:00:01Z", "2026-01-09T10:00:02Z",
                "2026-01-09T10:00:03Z", "2026-01-09T10:00:09Z", "2026-01-09T10:00:10Z",
                "2026-01-09T10:00:14Z"});
  // The digits seen are 0 to 4 and 9.
  EXPECT_THAT(starts(shape.cuts({"", "2026-01-00T00:00:00Z", "2026-04-00T00:00:00Z"}, 3), 8),
              ElementsAre("2026-02-", "2026-03-"));
}

TEST(KeyShape, CutsBelowWhatTheKeysOfTheRangeShare) {
  const KeyShape shape = shape_of({"user-0", "user-1", "user-2", "user-3"});
  EXPECT_THAT(starts(shape.cuts({"", "user-2000", "user-3000"}, 2), 7), ElementsAre("user-22"));
}

TEST(KeyShape, CutsNothingWhereItKnowsNothing) {
  EXPECT_THAT(KeyShape().cuts({"in/", "in/a", ""}, 8), IsEmpty());
  EXPECT_THAT(shape_of({"same"}).cuts({"in/", "in/same", ""}, 8), IsEmpty());
  const KeyShape shape = shape_of(numbers(0, 100));
  EXPECT_THAT(shape.cuts({"in/", "in/5", "in/50"}, 1), IsEmpty());
  EXPECT_THAT(shape.cuts({"in/", "in/500000.json", "in/500000.json.1"}, 8), IsEmpty());
}

TEST(KeyShape, CutsAscendInsideOfTheRangeAndAreText) {
  const std::vector<std::string> odd = {
      "",    "0", "zzzz",       "\xc3\xa4", "\xc3\xa4\xc3\xb6", "\xf0\x9f\x98\x80",
      "a b", "~", "000000/\xff"};
  const KeyShape shapes[] = {shape_of(numbers(0, 100)), shape_of({"\xc3\xa4\x31", "\xc3\xa4\x32"}),
                             shape_of({"\xc3\xa4", "\xc3\xb6", "a", "b", "aa", "ab"})};
  for (const KeyShape& shape : shapes) {
    for (const std::string& after : odd) {
      for (const std::string& until : odd) {
        if (!until.empty() && until <= after) continue;
        const KeyRange range{"in/", "in/" + after, until.empty() ? "" : "in/" + until};
        std::string before = range.after;
        for (const std::string& cut : shape.cuts(range, 16)) {
          EXPECT_LT(before, cut);
          EXPECT_TRUE(cut.starts_with("in/")) << cut;
          EXPECT_TRUE(until.empty() || cut < range.until) << cut;
          for (const char c : cut.substr(std::min(cut.size(), range.after.size()))) {
            EXPECT_GE(c, ' ') << cut;
          }
          before = cut;
        }
      }
    }
  }
}

TEST(KeyShape, EstimatesHowManyPagesAreLeft) {
  const KeyShape shape = shape_of(numbers(0, 100));
  const auto left = [&](const std::string& until) {
    return shape.pages_left({"in/", "in/000099.json", until}, "in/000000.json");
  };
  EXPECT_NEAR(left("in/000199.json"), 1, 0.1);
  EXPECT_NEAR(left("in/001099.json"), 10, 0.2);
  EXPECT_NEAR(left(""), 10'000, 200);
  EXPECT_EQ(left("in/000099.json"), 0);
  // All of the page looks the same.
  EXPECT_TRUE(std::isinf(shape.pages_left({"", "1~2", "5"}, "1~1")));
}

}  // namespace
}  // namespace headrace
