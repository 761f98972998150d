#include "route/matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "route/explain.h"
#include "route/generate.h"
#include "route/oracle.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Matcher, GivesTheIdsOfAllThatMatchInOrderAndOnce) {
  const Matcher matcher({{9, Pattern::parse(R"({"a":["x"]})")},
                         {3, Pattern::parse(R"({"a":[{"prefix":"x"},{"suffix":"x"}]})")},
                         {5, Pattern::parse(R"({"a":["y"]})")},
                         {3, Pattern::parse(R"({"b":["z"]})")}});
  std::vector<std::uint32_t> matched{1, 2};
  matcher.match(R"({"a":"x","b":"z"})", matched);
  EXPECT_THAT(matched, ElementsAre(3, 9));
  matcher.match(R"({"a":"q"})", matched);
  EXPECT_THAT(matched, IsEmpty());
}

TEST(Matcher, WithoutRulesMatchesNothing) {
  const Matcher matcher({});
  std::vector<std::uint32_t> matched;
  matcher.match(R"({"a":"x"})", matched);
  EXPECT_THAT(matched, IsEmpty());
}

TEST(Matcher, FindsOneAmongManyRulesUnderOneCondition) {
  std::vector<Rule> rules;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    rules.push_back(
        {i, Pattern::parse(fmt::format(
                R"({{"bucket":["b"],"key":[{{"prefix":"p{}/"}}],"size":[{{"numeric":[">",{}]}}]}})",
                i % 50, i / 50))});
  }
  const Matcher matcher(std::move(rules));
  std::vector<std::uint32_t> matched;
  matcher.match(R"({"bucket":"b","key":"p7/x","size":3})", matched);
  EXPECT_THAT(matched, ElementsAre(7, 57, 107));
}

TEST(Matcher, StaysLinearWhereLongListsCouldMultiply) {
  std::string list;
  for (int i = 0; i < 2000; ++i) list += fmt::format("{}\"v{}\"", i == 0 ? "" : ",", i);
  std::vector<Rule> rules;
  for (std::uint32_t i = 0; i < 40; ++i) {
    rules.push_back(
        {i, Pattern::parse(fmt::format(R"({{"a":[{0}],"b":[{0}],"c":[{1}]}})", list, i))});
  }
  const Matcher matcher(std::move(rules));
  std::vector<std::uint32_t> matched;
  matcher.match(R"({"a":"v5","b":"v1999","c":[3,4]})", matched);
  EXPECT_THAT(matched, ElementsAre(3, 4));
}

TEST(Matcher, RefusesArraysThatCombineInTooManyWays) {
  std::string event = "{";
  for (int array = 0; array < 4; ++array) {
    event += R"("a":[)";
    for (int i = 0; i < 100; ++i) event += R"({"p":1,"q":1,"r":1,"s":1},)";
    event.back() = ']';
    event += ",";
  }
  event.back() = '}';
  const Matcher matcher(
      {{0, Pattern::parse(R"({"a":{"p":[1],"q":[1],"r":[1],"s":[1],"t":[1,{"exists":false}]}})")}});
  std::vector<std::uint32_t> matched;
  try {
    matcher.match(event, matched);
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.what(), HasSubstr("too many ways"));
  }
}

class BadJsonTest : public testing::TestWithParam<const char*> {};

TEST_P(BadJsonTest, IsCorruptWhereverItStands) {
  const Matcher matcher({{0, Pattern::parse(R"({"a":[{"exists":true}]})")}});
  std::vector<std::uint32_t> matched;
  const std::string bad = GetParam();
  for (const std::string& event :
       {bad, R"({"a":)" + bad + "}", R"({"z":)" + bad + "}", R"({"z":[1,)" + bad + "]}"}) {
    if (event == bad && bad == "1") continue;
    try {
      matcher.match(event, matched);
      FAIL() << "taken: " << event;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << event;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Events, BadJsonTest,
                         testing::Values("", "{", "}", "[", "[1,]", "[,1]", "{\"b\":1,}", "{\"b\"}",
                                         "{\"b\":}", "{b:1}", "{1:1}", "tru", "truex", "01", "1.",
                                         "+1", "1e", "-", "\"", "\"\\x\"", "\"\\ud800\"",
                                         "\"\\udc00x\"", "\"\\u12\"", "\"\x01\"", "\"\xff\"", "1 2",
                                         "\"a\"b", "\"a\" \"b\"", "{} {}", "[1}", "{\"b\":1]",
                                         "1\x01", "nul", "NaN", "'a'", "{\"b\" 1}", "[1 2]"));

TEST(Matcher, TakesOnlyObjectsAsEvents) {
  const Matcher matcher({{0, Pattern::parse(R"({"a":["x"]})")}});
  std::vector<std::uint32_t> matched;
  for (const std::string_view event : {"1", "[]", "\"a\"", "null", R"([{"a":"x"}])"}) {
    EXPECT_THROW(matcher.match(event, matched), Error) << event;
  }
  matcher.match(" \t\r\n{ \"a\" : \"x\" } \n", matched);
  EXPECT_THAT(matched, ElementsAre(0));
}

TEST(Matcher, BoundsTheDepthOfEvents) {
  const Matcher matcher({{0, Pattern::parse(R"({"a":["x"]})")}});
  std::vector<std::uint32_t> matched;
  const auto nested = [](std::size_t levels) {
    return R"({"a":)" + std::string(levels, '[') + "\"x\"" + std::string(levels, ']') + "}";
  };
  matcher.match(nested(999), matched);
  EXPECT_THAT(matched, ElementsAre(0));
  EXPECT_THROW(matcher.match(nested(1000), matched), Error);
}

TEST(Matcher, ReadsLargeEventsAndSmallOnesAfterThem) {
  const Matcher matcher({{0, Pattern::parse(R"({"a":["x\n"]})")}});
  std::vector<std::uint32_t> matched;
  const std::string large = R"({"z":")" + std::string(3 << 20, 'z') + R"(","a":"x\n"})";
  for (const std::string_view event :
       {std::string_view(large), std::string_view(R"({"a":"x\n"})")}) {
    matcher.match(event, matched);
    EXPECT_THAT(matched, ElementsAre(0));
  }
}

/// Rule sets and events by chance; every pair is compared with the oracle and the explanation.
TEST(Matcher, AgreesWithTheOracleOnPairsByChance) {
  SeededRandom random(20'260'131);
  constexpr std::size_t kRounds = 260;
  constexpr std::size_t kRules = 20;
  constexpr std::size_t kEvents = 20;
  std::size_t hits = 0;
  for (std::size_t round = 0; round < kRounds; ++round) {
    std::vector<std::string> patterns;
    std::vector<JsonTree> trees;
    std::vector<Rule> rules;
    for (std::uint32_t i = 0; i < kRules; ++i) {
      patterns.push_back(generate::pattern(random));
      trees.push_back(parse_json_tree(patterns.back()));
      rules.push_back({i, Pattern::parse(patterns.back())});
    }
    const Matcher matcher(rules);
    for (std::size_t e = 0; e < kEvents; ++e) {
      const std::string json = generate::event(random);
      const oracle::Event event = oracle::read_event(json);
      std::vector<std::uint32_t> expected;
      for (std::uint32_t i = 0; i < kRules; ++i) {
        if (oracle::matches(oracle::read_rule(trees[i]), event)) expected.push_back(i);
      }
      std::vector<std::uint32_t> matched;
      matcher.match(json, matched);
      ASSERT_EQ(matched, expected) << json << "\n" << fmt::format("{}", fmt::join(patterns, "\n"));
      for (const Explanation& told : explain(rules, json)) {
        ASSERT_EQ(told.matches, std::ranges::count(expected, told.id) == 1) << json << "\n"
                                                                            << patterns[told.id];
        ASSERT_EQ(told.matches, told.why.empty());
      }
      hits += expected.size();
    }
  }
  EXPECT_GT(hits, kRounds * kRules * kEvents / 20) << "too few matches to mean anything";
}

TEST(Matcher, IsReadByManyThreadsAtATime) {
  SeededRandom random(3);
  std::vector<Rule> rules;
  for (std::uint32_t i = 0; i < 50; ++i)
    rules.push_back({i, Pattern::parse(generate::pattern(random))});
  const Matcher matcher(rules);
  std::vector<std::string> events;
  std::vector<std::vector<std::uint32_t>> expected(100);
  for (auto& ids : expected) {
    events.push_back(generate::event(random));
    matcher.match(events.back(), ids);
  }
  std::atomic<int> wrong = 0;
  const auto work = [&] {
    std::vector<std::uint32_t> matched;
    for (std::size_t i = 0; i < events.size(); ++i) {
      matcher.match(events[i], matched);
      if (matched != expected[i]) ++wrong;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace headrace
