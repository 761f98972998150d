// What the matcher promises about its work, told by counting it: values, conditions and choices of
// elements looked at, and bytes gone through by wildcards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "route/bench_inputs.h"
#include "route/matcher.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Rule> rules_of(const std::vector<std::string>& patterns) {
  std::vector<Rule> out;
  for (const std::string& pattern : patterns) {
    out.push_back({static_cast<std::uint32_t>(out.size()), Pattern::parse(pattern)});
  }
  return out;
}

std::uint64_t work_of(const Matcher& matcher, std::string_view event, std::size_t matches) {
  std::vector<std::uint32_t> matched;
  matcher.match(event, matched);
  EXPECT_EQ(matched.size(), matches);
  return Matcher::last_work();
}

TEST(MatcherWork, HardlyGrowsWithTheRules) {
  const auto events = bench::events(200);
  std::vector<std::uint64_t> work;
  for (const std::uint64_t count : {1000U, 20'000U}) {
    const Matcher matcher(rules_of(bench::patterns(count)));
    std::vector<std::uint32_t> matched;
    work.push_back(0);
    for (const Event& event : events) {
      matcher.match(event, matched);
      work.back() += Matcher::last_work();
    }
  }
  EXPECT_LT(work[1], 4 * work[0]) << "twenty times the rules";
}

TEST(MatcherWork, OfWildcardsOpenAtBothEndsIsOnePassOverTheValue) {
  std::vector<std::string> patterns;
  for (int i = 0; i < 10'000; ++i) {
    patterns.push_back(fmt::format(R"({{"a":[{{"wildcard":"*w{}w*"}}]}})", i));
  }
  const Matcher matcher(rules_of(patterns));
  const std::string text = "xxxx w77w xxxx w4321w " + std::string(60, 'w');
  const std::uint64_t work = work_of(matcher, R"({"a":")" + text + R"("})", 2);
  EXPECT_LT(work, 5 * text.size());
}

TEST(MatcherWork, OfWildcardsThatBacktrackElsewhereIsLinearInTheValue) {
  const Matcher matcher(rules_of({R"({"a":[{"wildcard":"*a*a*a*a*a*a*a*a*b"}]})",
                                  R"({"a":[{"wildcard":"a*a*a*a*a*a*a*a*ab*c"}]})",
                                  R"({"a":[{"wildcard":"*aaaaaaaaaaaaaaaaaaaaaaaab*"}]})"}));
  const std::size_t size = 1 << 20;
  const std::uint64_t work = work_of(matcher, R"({"a":")" + std::string(size, 'a') + R"("})", 0);
  EXPECT_LT(work, 5 * size);
}

TEST(MatcherWork, OfAnEventOfAMillionBytesNobodyAsksForIsNone) {
  const Matcher matcher(rules_of({R"({"a":["x"]})"}));
  std::string event = R"({"a":"x","z":[)";
  for (int i = 0; i < 100'000; ++i) event += R"({"a":[1]},)";
  event.back() = ']';
  EXPECT_LT(work_of(matcher, event + "}", 1), 10);
}

/// An array of `size` objects, each with the fields p, q and r.
std::string elements(std::size_t size, std::string_view last) {
  std::string out = "[";
  for (std::size_t i = 0; i + 1 < size; ++i) out += R"({"p":1,"q":2,"r":3},)";
  return out + std::string(last) + "]";
}

TEST(MatcherWork, OfFieldsInOneLongArrayIsLinearInItsElements) {
  const Matcher matcher(rules_of({R"({"e":{"p":[1],"q":[2],"r":[4]}})"}));
  const std::uint64_t missed = work_of(matcher, R"({"e":)" + elements(3000, R"({"r":4})") + "}", 0);
  const std::uint64_t met =
      work_of(matcher, R"({"e":)" + elements(3000, R"({"p":1,"q":2,"r":4})") + "}", 1);
  EXPECT_LT(missed, 20 * 3000);
  EXPECT_LT(met, 20 * 3000);
}

TEST(MatcherWork, OfAnAbsenceInALongArrayIsLinearToo) {
  const Matcher matcher(rules_of({R"({"e":{"p":[1],"s":[{"exists":false}]}})"}));
  const std::uint64_t work = work_of(matcher, R"({"e":)" + elements(3000, R"({"s":1})") + "}", 1);
  EXPECT_LT(work, 20 * 3000);
}

TEST(MatcherWork, OfSeveralLongArraysIsLinearInTheirSum) {
  const Matcher matcher(rules_of({R"({"a":{"p":[1],"q":[2]},"b":{"p":[1],"q":[2]},)"
                                  R"("c":{"p":[1],"r":[4]}})"}));
  const std::string one = elements(3000, R"({"r":4})");
  const std::uint64_t work =
      work_of(matcher, fmt::format(R"({{"a":{0},"b":{0},"c":{0}}})", one), 0);
  EXPECT_LT(work, 3 * 20 * 3000);
}

std::string deep_elements(std::size_t levels, std::size_t size) {
  const std::string last = R"({"r":4})";  // Each field holds, but not in one element.
  return std::string(levels - 1, '[') + elements(size, last) + std::string(levels - 1, ']');
}

TEST(MatcherWork, OfElementsDeepInArraysGrowsWithTheArraysAroundThem) {
  const Matcher matcher(rules_of({R"({"e":{"p":[1],"q":[2],"r":[4]}})"}));
  const std::uint64_t work = work_of(matcher, R"({"e":)" + deep_elements(100, 1000) + "}", 0);
  EXPECT_LT(work, 3 * 2 * 100 * 1000);
  std::vector<std::uint32_t> matched;
  EXPECT_THROW(matcher.match(R"({"e":)" + deep_elements(900, 6'000) + "}", matched), Error)
      << "each value would be kept with its 900 arrays";
}

/// Every value of the array is looked up once, whatever the rules list.
TEST(MatcherWork, OfALongArrayAndLongListsOfValuesIsTheirSum) {
  std::string list;
  std::string array;
  for (int i = 0; i < 1000; ++i) {
    list += fmt::format("{}\"v{}\"", i == 0 ? "" : ",", i);
    array += fmt::format("{}\"w{}\"", i == 0 ? "" : ",", i);
  }
  std::vector<std::string> patterns;
  for (int i = 0; i < 4; ++i) {
    patterns.push_back(fmt::format(
        R"({{"a":[{0}],"b":[{0},{{"prefix":"p{1}"}},{{"suffix":"s{1}"}}],"c":[{0}]}})", list, i));
  }
  const Matcher matcher(rules_of(patterns));
  EXPECT_LT(work_of(matcher, fmt::format(R"({{"a":[{0}],"b":[{0}],"c":[{0}]}})", array), 0),
            3 * 2 * 1000);
}

/// Where elements are chosen too: the texts of a list are not gone through for each value, and what
/// has to be gone through is counted.
TEST(MatcherWork, OfLongListsAskedOfElementsIsBounded) {
  std::string texts;
  std::string prefixes;
  for (int i = 0; i < 3000; ++i) {
    texts += fmt::format("\"v{}\",", i);
    prefixes += fmt::format("{{\"prefix\":\"v{}\"}},", i);
  }
  const auto event = [](int size) {
    std::string out = R"({"e":[{"q":2})";
    for (int i = 0; i < size; ++i) out += fmt::format(R"(,{{"p":"{}{}"}})", i == 0 ? 'v' : 'w', i);
    return out + "]}";
  };
  const Matcher of_texts(rules_of({fmt::format(R"({{"e":{{"p":[{}1],"q":[2]}}}})", texts)}));
  EXPECT_LT(work_of(of_texts, event(3000), 0), 10 * 3000);
  const Matcher of_prefixes(rules_of({fmt::format(R"({{"e":{{"p":[{}1],"q":[2]}}}})", prefixes)}));
  EXPECT_LT(work_of(of_prefixes, event(3000), 0), 3000 * (10 + 3000 / 16));
  std::vector<std::uint32_t> matched;
  EXPECT_THROW(of_prefixes.match(event(30'000), matched), Error);
}

TEST(MatcherWork, OfATextOfAMillionBytesIsLinearInIt) {
  const Matcher matcher(rules_of(
      {R"({"a":["x",{"prefix":"aaaa"},{"suffix":"b"},{"equals-ignore-case":"aaab"}],"b":["y"]})",
       R"({"a":[{"anything-but":{"wildcard":["*ab*ab*","a*b"]}}],"b":["y"]})",
       R"({"a":[{"prefix":{"equals-ignore-case":"AAAA"}},{"suffix":{"equals-ignore-case":"B"}}]})"}));
  const std::size_t size = 1 << 20;
  EXPECT_LT(work_of(matcher, R"({"b":"y","a":")" + std::string(size, 'a') + R"("})", 3), 5 * size);
}

TEST(MatcherWork, OfOneNameAHundredThousandTimesIsLinearToo) {
  const Matcher matcher(rules_of({R"({"a":["x"],"b":[{"exists":false}]})", R"({"a":["y","z"]})"}));
  std::string event = "{";
  for (int i = 0; i < 100'000; ++i) event += R"("a":"y",)";
  event.back() = '}';
  EXPECT_LT(work_of(matcher, event, 1), 3 * 100'000);
}

TEST(MatcherWork, OfManyRangesFindsThoseThatHoldTheNumberAlone) {
  std::vector<std::string> patterns;
  for (int i = 0; i < 10'000; ++i) {
    patterns.push_back(
        fmt::format(R"({{"a":[{{"numeric":[">=",{},"<",{}]}}]}})", i * 10, i * 10 + 15));
  }
  EXPECT_LT(work_of(Matcher(rules_of(patterns)), R"({"a":50003})", 2), 20);
}

TEST(MatcherWork, OfManyBlocksOfAddressesIsOneLookPerSize) {
  std::vector<std::string> patterns;
  for (int i = 0; i < 10'000; ++i) {
    patterns.push_back(fmt::format(R"({{"a":[{{"cidr":"10.{}.{}.0/24"}}]}})", i / 256, i % 256));
  }
  patterns.push_back(R"({"a":[{"cidr":"10.0.0.0/8"}]})");
  EXPECT_LT(work_of(Matcher(rules_of(patterns)), R"({"a":"10.1.7.9"})", 2), 20);
}

TEST(MatcherLimits, NameTheRuleThatGoesBeyond) {
  std::vector<Rule> rules = rules_of({R"({"a":["x","y"]})", R"({"a":["z"]})", R"({"a":["x"]})"});
  rules[1].name = "orders";
  EXPECT_NO_THROW(Matcher(rules, nullptr, {.conditions = 4, .wildcards = 0}));
  try {
    const Matcher matcher(rules, nullptr, {.conditions = 2, .wildcards = 0});
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(),
                HasSubstr("rule orders: with it all rules together have more than 2 conditions"));
  }
}

TEST(MatcherLimits, WeighWildcardsByTheirStars) {
  const auto rules = rules_of(
      {R"({"a":[{"wildcard":"a*b*c"}]})", R"({"b":[{"anything-but":{"wildcard":["*x*","y*"]}}]})"});
  EXPECT_NO_THROW(Matcher(rules, nullptr, {.conditions = 100, .wildcards = 5}));
  EXPECT_THROW(Matcher(rules, nullptr, {.conditions = 100, .wildcards = 4}), Error);
}

/// The bucket looks rare among 100 buckets, but all events have b7; the key is rare indeed.
std::vector<Rule> misleading_rules() {
  std::vector<std::string> patterns;
  for (int i = 0; i < 100; ++i) {
    patterns.push_back(fmt::format(R"({{"b":["b{}"],"k":[{{"prefix":"k{}"}}]}})", i, i % 50));
  }
  for (int i = 0; i < 11; ++i) {
    patterns.push_back(fmt::format(R"({{"b":["b7"],"k":[{{"prefix":"q{}"}}]}})", i));
  }
  return rules_of(patterns);
}
constexpr std::string_view kUsualEvent = R"({"b":"b7","k":"z"})";

TEST(MatcherHits, FeedTheNextCompile) {
  const Matcher blind(misleading_rules());
  std::uint64_t before = 0;
  for (int i = 0; i < 10'000; ++i) before = work_of(blind, kUsualEvent, 0);
  const Matcher taught(misleading_rules(), &blind);
  EXPECT_LT(work_of(taught, kUsualEvent, 0), before);
  std::vector<std::uint32_t> matched;
  taught.match(R"({"b":"b7","k":"k7/x"})", matched);
  EXPECT_THAT(matched, ElementsAre(7));
}

TEST(MatcherHits, AreHandedOnByASetThatSawTooFewEvents) {
  const Matcher blind(misleading_rules());
  for (int i = 0; i < 10'000; ++i) work_of(blind, kUsualEvent, 0);
  const Matcher taught(misleading_rules(), &blind);
  const Matcher next(misleading_rules(), &taught);
  EXPECT_EQ(work_of(next, kUsualEvent, 0), work_of(taught, kUsualEvent, 0));
}

TEST(MatcherHits, AreCountedAlsoOfAMatcherThatTakesTurnsWithOthers) {
  const Matcher other(rules_of({R"({"a":["x"]})"}));
  for (const int turns : {2, 4, 16}) {
    const Matcher blind(misleading_rules());
    std::uint64_t before = 0;
    for (int i = 0; i < 10'000; ++i) {
      before = work_of(blind, kUsualEvent, 0);
      for (int turn = 1; turn < turns; ++turn) work_of(other, kUsualEvent, 0);
    }
    EXPECT_LT(work_of(Matcher(misleading_rules(), &blind), kUsualEvent, 0), before) << turns;
  }
}

}  // namespace
}  // namespace headrace
