#include "route/live_matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "core/error.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Rule rule(std::uint32_t id, std::string_view pattern) { return {id, Pattern::parse(pattern)}; }

std::vector<std::uint32_t> matched_by(const LiveMatcher& matcher, std::string_view event) {
  std::vector<std::uint32_t> out;
  matcher.match(event, out);
  return out;
}

TEST(LiveMatcher, PutsReplacesAndTakesOutRules) {
  LiveMatcher matcher({rule(1, R"({"a":["x"]})")});
  EXPECT_THAT(matched_by(matcher, R"({"a":"x"})"), ElementsAre(1));
  matcher.wait(matcher.put(rule(7, R"({"a":[{"prefix":"x"}]})")));
  EXPECT_THAT(matched_by(matcher, R"({"a":"x"})"), ElementsAre(1, 7));
  matcher.wait(matcher.put(rule(1, R"({"a":["y"]})")));
  EXPECT_THAT(matched_by(matcher, R"({"a":"x"})"), ElementsAre(7));
  matcher.wait(matcher.remove(7));
  matcher.wait(matcher.remove(99));
  EXPECT_THAT(matched_by(matcher, R"({"a":"x"})"), IsEmpty());
  EXPECT_THAT(matched_by(matcher, R"({"a":"y"})"), ElementsAre(1));
  EXPECT_EQ(matcher.in_force(), 4);
}

TEST(LiveMatcher, TakesAChangeBackThatTheSetCannotHold) {
  LiveMatcher matcher({rule(1, R"({"a":["x"]})")}, {.conditions = 2, .wildcards = 10});
  const std::uint64_t wrong = matcher.put(rule(2, R"({"a":["p","q","r"]})"));
  try {
    matcher.wait(wrong);
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr("rule number 2"));
  }
  EXPECT_THAT(matched_by(matcher, R"({"a":"x"})"), ElementsAre(1));
  matcher.wait(matcher.put(rule(3, R"({"a":["y"]})")));
  EXPECT_THAT(matched_by(matcher, R"({"a":"y"})"), ElementsAre(3));
}

/// Rule 0 stays; rule 1 comes and goes. Whoever matches meanwhile sees one set or the next, whole.
TEST(LiveMatcher, AnswersWholeSetsWhileRulesChange) {
  LiveMatcher matcher({rule(0, R"({"a":["x"]})")});
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> answers = 0;
  std::atomic<std::uint64_t> wrong = 0;
  const auto read = [&] {
    while (!stop) {
      const auto ids = matched_by(matcher, R"({"a":"x"})");
      const bool known =
          ids == std::vector<std::uint32_t>{0} || ids == std::vector<std::uint32_t>{0, 1};
      wrong += known ? 0 : 1;
      ++answers;
    }
  };
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) readers.emplace_back(read);
  for (int round = 0; round < 50 || answers < 1000; ++round) {
    matcher.wait(matcher.put(rule(1, R"({"a":[{"suffix":"x"}]})")));
    matcher.wait(matcher.remove(1));
  }
  stop = true;
  readers.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_THAT(matched_by(matcher, R"({"a":"x"})"), ElementsAre(0));
}

}  // namespace
}  // namespace headrace
