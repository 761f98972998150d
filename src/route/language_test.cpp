// The language, sentence by sentence, for the matcher and for the oracle it is compared with.
#include <gtest/gtest.h>

#include "route/matcher.h"
#include "route/oracle.h"

namespace headrace {
namespace {

bool matches(std::string_view pattern, std::string_view event) {
  const Matcher matcher({{7, Pattern::parse(pattern)}});
  std::vector<std::uint32_t> matched;
  matcher.match(event, matched);
  return !matched.empty();
}

/// One sentence of the language: the pattern takes these events and not those.
struct MatchCase {
  const char* name;
  std::string_view pattern;
  std::vector<std::string_view> takes;
  std::vector<std::string_view> refuses;
};

class MatchTest : public testing::TestWithParam<MatchCase> {};

TEST_P(MatchTest, AnswersAsTheLanguageSays) {
  const MatchCase& row = GetParam();
  const JsonTree tree = parse_json_tree(row.pattern);
  const auto rule = oracle::read_rule(tree);
  for (const std::string_view event : row.takes) {
    EXPECT_TRUE(matches(row.pattern, event)) << row.pattern << " must take " << event;
    EXPECT_TRUE(oracle::matches(rule, oracle::read_event(event))) << "oracle: " << event;
  }
  for (const std::string_view event : row.refuses) {
    EXPECT_FALSE(matches(row.pattern, event)) << row.pattern << " must refuse " << event;
    EXPECT_FALSE(oracle::matches(rule, oracle::read_event(event))) << "oracle: " << event;
  }
}

std::string case_name(const testing::TestParamInfo<MatchCase>& row) { return row.param.name; }

// clang-format off
INSTANTIATE_TEST_SUITE_P(
    Basics, MatchTest,
    testing::Values(
        MatchCase{"ValuesOfAFieldAreAlternatives", R"({"a":["x","y",5,true,null]})",
                  {R"({"a":"x"})", R"({"a":"y"})", R"({"a":5})", R"({"a":true})", R"({"a":null})"},
                  {R"({"a":"z"})", R"({"a":false})", R"({"a":"5"})", R"({"a":"true"})", "{}"}},
        MatchCase{"FieldsMustAllHold", R"({"a":["x"],"b":["y"]})",
                  {R"({"a":"x","b":"y","c":1})"},
                  {R"({"a":"x"})", R"({"b":"y"})", R"({"a":"y","b":"x"})"}},
        MatchCase{"Prefix", R"({"a":[{"prefix":"xy"}]})",
                  {R"({"a":"xy"})", R"({"a":"xyz"})"},
                  {R"({"a":"x"})", R"({"a":"axy"})", R"({"a":5})"}},
        MatchCase{"Suffix", R"({"a":[{"suffix":".json"}]})",
                  {R"({"a":".json"})", R"({"a":"b.json"})"},
                  {R"({"a":"b.jso"})", R"({"a":"b.json "})"}},
        MatchCase{"SuffixAndPrefixKnowNoQuotes", R"({"a":[{"suffix":"\"abc"},{"prefix":"abc\""}]})",
                  {R"({"a":"x\"abc"})", R"({"a":"abc\"x"})"},
                  {R"({"a":"abc"})"}},
        MatchCase{"Exactly", R"({"a":[{"exactly":"x"}]})",
                  {R"({"a":"x"})"},
                  {R"({"a":"xy"})"}},
        MatchCase{"Wildcard", R"({"a":[{"wildcard":"a*c*e"}]})",
                  {R"({"a":"ace"})", R"({"a":"abcde"})", R"({"a":"acece"})"},
                  {R"({"a":"ae"})", R"({"a":"acef"})", R"({"a":"bace"})"}},
        MatchCase{"WildcardEndsDoNotOverlap", R"({"a":[{"wildcard":"ab*ba"}]})",
                  {R"({"a":"abba"})", R"({"a":"abxba"})"},
                  {R"({"a":"aba"})"}},
        MatchCase{"WildcardEscapes", R"({"a":[{"wildcard":"\\**\\\\"}]})",
                  {R"({"a":"*\\"})", R"({"a":"*x\\"})"},
                  {R"({"a":"x\\"})", R"({"a":"*"})"}},
        MatchCase{"WildcardWithoutAStarIsTheText", R"({"a":[{"wildcard":"x\\*"}]})",
                  {R"({"a":"x*"})"},
                  {R"({"a":"xy"})"}},
        MatchCase{"Numeric", R"({"a":[{"numeric":[">",0,"<=",5]}]})",
                  {R"({"a":0.1})", R"({"a":5})", R"({"a":5.0})"},
                  {R"({"a":0})", R"({"a":5.1})", R"({"a":"3"})", R"({"a":null})"}},
        MatchCase{"NumericOpenEnds", R"({"a":[{"numeric":["<",-1]},{"numeric":[">=",10]}]})",
                  {R"({"a":-1.5})", R"({"a":10})", R"({"a":1e300})"},
                  {R"({"a":-1})", R"({"a":9.9})"}},
        MatchCase{"Cidr", R"({"a":[{"cidr":"10.0.0.0/8"}]})",
                  {R"({"a":"10.0.0.1"})", R"({"a":"10.255.0.3"})", R"({"a":"10.0.0.01"})",
                   R"({"a":"::ffff:a00:1"})"},
                  {R"({"a":"11.0.0.1"})", R"({"a":"x"})", R"({"a":"::1"})", R"({"a":10})"}},
        MatchCase{"AddressesAsValuesAreTexts", R"({"a":["10.0.0.1"]})",
                  {R"({"a":"10.0.0.1"})"},
                  {R"({"a":"10.0.0.01"})"}},
        MatchCase{"Or", R"({"c":["z"],"$or":[{"a":["x"]},{"b":["y"]}]})",
                  {R"({"c":"z","a":"x"})", R"({"c":"z","b":"y"})"},
                  {R"({"c":"z"})", R"({"a":"x","b":"y"})"}},
        MatchCase{"OrInsideOr", R"({"$or":[{"a":["x"]},{"$or":[{"b":["y"]},{"c":["z"]}]}]})",
                  {R"({"a":"x"})", R"({"b":"y"})", R"({"c":"z"})"},
                  {R"({"a":"y"})"}},
        MatchCase{"OrUnderAField", R"({"a":{"$or":[{"b":["x"]},{"c":["y"]}]}})",
                  {R"({"a":{"b":"x"}})", R"({"a":{"c":"y"}})"},
                  {R"({"b":"x"})"}}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Presence, MatchTest,
    testing::Values(
        MatchCase{"AbsentMeansNoScalar", R"({"a":[{"exists":false}]})",
                  {"{}", R"({"a":[]})", R"({"a":{}})", R"({"a":{"b":1}})", R"({"a":[[],{}]})"},
                  {R"({"a":1})", R"({"a":null})", R"({"a":[1]})"}},
        MatchCase{"PresentMeansAScalar", R"({"a":[{"exists":true}]})",
                  {R"({"a":1})", R"({"a":null})", R"({"a":""})", R"({"a":[[1]]})"},
                  {"{}", R"({"a":[]})", R"({"a":{}})", R"({"a":{"b":1}})"}},
        MatchCase{"AbsentOrAValue", R"({"a":["x",{"exists":false}]})",
                  {"{}", R"({"a":"x"})"},
                  {R"({"a":"y"})"}},
        MatchCase{"AnythingButATextNeedsTheField", R"({"a":[{"anything-but":"5"}]})",
                  {R"({"a":5})", R"({"a":null})", R"({"a":true})", R"({"a":"6"})"},
                  {R"({"a":"5"})", "{}", R"({"a":[]})"}},
        MatchCase{"AnythingButANumber", R"({"a":[{"anything-but":5}]})",
                  {R"({"a":"5"})", R"({"a":5.1})", R"({"a":null})"},
                  {R"({"a":5})", R"({"a":5.0})", R"({"a":5e0})", "{}"}},
        MatchCase{"AnythingButAList", R"({"a":[{"anything-but":["x","y"]}]})",
                  {R"({"a":"z"})", R"({"a":1})"},
                  {R"({"a":"x"})", R"({"a":"y"})", "{}"}},
        MatchCase{"AnythingButAPrefix", R"({"a":[{"anything-but":{"prefix":"x"}}]})",
                  {R"({"a":5})", R"({"a":"y"})", R"({"a":""})"},
                  {R"({"a":"xy"})", "{}"}},
        MatchCase{"AnythingButPrefixes", R"({"a":[{"anything-but":{"prefix":["x","y"]}}]})",
                  {R"({"a":"zx"})"},
                  {R"({"a":"xy"})", R"({"a":"y"})"}},
        MatchCase{"AnythingButSuffixes", R"({"a":[{"anything-but":{"suffix":["x","y"]}}]})",
                  {R"({"a":"xz"})"},
                  {R"({"a":"xy"})", R"({"a":"x"})"}},
        MatchCase{"AnythingButIgnoringCase",
                  R"({"a":[{"anything-but":{"equals-ignore-case":["x","YY"]}}]})",
                  {R"({"a":"xx"})", R"({"a":1})"},
                  {R"({"a":"X"})", R"({"a":"yY"})"}},
        MatchCase{"AnythingButAWildcard", R"({"a":[{"anything-but":{"wildcard":"x*y"}}]})",
                  {R"({"a":"xyx"})", R"({"a":1})"},
                  {R"({"a":"xy"})", R"({"a":"x1y"})"}},
        MatchCase{"AnythingButWildcards", R"({"a":[{"anything-but":{"wildcard":["x*","*y"]}}]})",
                  {R"({"a":"zx"})"},
                  {R"({"a":"x"})", R"({"a":"zy"})"}},
        MatchCase{"AnythingButOnAnArrayMeansSomeElementDiffers", R"({"a":[{"anything-but":5}]})",
                  {R"({"a":[5,"x"]})"},
                  {R"({"a":[5,5.0]})"}},
        MatchCase{"NullIsMatchedByNull", R"({"a":[null]})",
                  {R"({"a":null})"},
                  {"{}", R"({"a":"null"})", R"({"a":0})", R"({"a":false})"}},
        MatchCase{"EmptyPrefixSuffixAndStarMatchEveryStringAndNothingElse",
                  R"({"a":[{"prefix":""}],"b":[{"suffix":""}],"c":[{"wildcard":"*"}]})",
                  {R"({"a":"","b":"","c":""})", R"({"a":"x","b":"y","c":"z"})"},
                  {R"({"a":null,"b":"","c":""})", R"({"a":"","b":5,"c":""})",
                   R"({"a":"","b":"","c":true})", R"({"b":"","c":""})"}}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Numbers, MatchTest,
    testing::Values(
        MatchCase{"AreEqualByValue", R"({"a":[5]})",
                  {R"({"a":5})", R"({"a":5.0})", R"({"a":5e0})", R"({"a":0.5E+1})"},
                  {R"({"a":"5"})", R"({"a":5.000000000000001})"}},
        MatchCase{"NumericEqualsIsTheSame", R"({"a":[{"numeric":["=",5]}]})",
                  {R"({"a":5})", R"({"a":5.0})", R"({"a":5e0})"},
                  {R"({"a":"5"})", R"({"a":6})"}},
        MatchCase{"MinusZeroIsZero", R"({"a":[0]})",
                  {R"({"a":-0})", R"({"a":-0.0e7})", R"({"a":0})"},
                  {R"({"a":1e-300})"}},
        MatchCase{"ZeroIsMinusZero", R"({"a":[-0]})",
                  {R"({"a":0})", R"({"a":-0.0})"},
                  {}},
        MatchCase{"WithMoreDigitsThanADoubleMatchTheirOwnText", R"({"a":[9007199254740993]})",
                  {R"({"a":9007199254740993})"},
                  {R"({"a":9007199254740992})", R"({"a":9007199254740993.0})",
                   R"({"a":"9007199254740993"})"}},
        MatchCase{"WithMoreDigitsThanADoubleAreInNoRange", R"({"a":[{"numeric":[">",0]}]})",
                  {R"({"a":9007199254740992})"},
                  {R"({"a":9007199254740993})", R"({"a":1e400})"}},
        MatchCase{"TooLargeMatchTheirOwnText", R"({"a":[1e400]})",
                  {R"({"a":1e400})"},
                  {R"({"a":1E400})", R"({"a":10e399})"}},
        MatchCase{"BeyondFiveBillionCompare", R"({"a":[{"numeric":[">",5000000000]}]})",
                  {R"({"a":5000000001})", R"({"a":1e300})"},
                  {R"({"a":5000000000})"}},
        MatchCase{"FarDigitsCompare", R"({"a":[0.1234567]})",
                  {R"({"a":0.1234567})", R"({"a":1.234567e-1})"},
                  {R"({"a":0.1234568})"}},
        MatchCase{"TheShortestSpellingCounts", R"({"a":[1e23,5e-324,2e23]})",
                  {R"({"a":1e23})", R"({"a":100000000000000000000000})", R"({"a":5e-324})",
                   R"({"a":2.0E23})"},
                  {R"({"a":4.9e-324})", R"({"a":99999999999999991611392})"}}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Paths, MatchTest,
    testing::Values(
        MatchCase{"DotsInNamesAreSteps", R"({"a":{"b":["x"]}})",
                  {R"({"a":{"b":"x"}})", R"({"a.b":"x"})"},
                  {R"({"b":"x"})", R"({"a":"x"})"}},
        MatchCase{"DotsInNamesOfThePatternToo", R"({"a.b.c":["x"]})",
                  {R"({"a":{"b":{"c":"x"}}})", R"({"a.b":{"c":"x"}})", R"({"a":{"b.c":"x"}})"},
                  {R"({"a":{"b":"x"}})"}},
        MatchCase{"RepeatedNamesInAnEventAllCount", R"({"a":["x"],"b":["y"]})",
                  {R"({"a":"x","a":"z","b":"y"})", R"({"a":"z","b":"z","b":"y","a":"x"})"},
                  {R"({"a":"z","a":"z","b":"y"})"}},
        MatchCase{"TheLastOfRepeatedNamesInAPatternWins", R"({"a":["x"],"a":["y"]})",
                  {R"({"a":"y"})"},
                  {R"({"a":"x"})"}},
        MatchCase{"TheLastWinsAcrossSpellings", R"({"a":{"b":["x"]},"a.b":["y"]})",
                  {R"({"a":{"b":"y"}})"},
                  {R"({"a":{"b":"x"}})"}},
        MatchCase{"OrOverridesWhatStandsBefore", R"({"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]})",
                  {R"({"a":"y"})", R"({"a":"x","b":"z"})"},
                  {R"({"a":"x"})", R"({"b":"z"})"}},
        MatchCase{"WhatStandsAfterOverridesOr", R"({"$or":[{"a":["y"]},{"b":["z"]}],"a":["x"]})",
                  {R"({"a":"x"})"},
                  {R"({"a":"y"})", R"({"b":"z"})"}},
        MatchCase{"EmptyNamesAreNames", R"({"a.":["x"]})",
                  {R"({"a":{"":"x"}})", R"({"a.":"x"})"},
                  {R"({"a":"x"})"}},
        MatchCase{"EscapedNamesAreTheSame", R"({"\u0061\"":["x\n"]})",
                  {R"({"a\"":"\u0078\n"})", R"({"a\u0022":"x\u000a"})"},
                  {R"({"a":"x"})"}}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Arrays, MatchTest,
    testing::Values(
        MatchCase{"AnyElementWillDo", R"({"a":["x"]})",
                  {R"({"a":["y","x"]})", R"({"a":[["x"]]})"},
                  {R"({"a":["y"]})", R"({"a":[]})"}},
        MatchCase{"ScalarsHaveNoElement", R"({"t":["x"],"v":["1"]})",
                  {R"({"t":["x","y"],"v":["2","1"]})"},
                  {}},
        MatchCase{"FieldsMustLieInOneElement", R"({"a":{"x":["1"],"y":["2"]}})",
                  {R"({"a":[{"x":"1","y":"2"}]})", R"({"a":[{"x":"0"},{"x":"1","y":"2"}]})",
                   R"({"a":{"x":"1","y":"2"}})"},
                  {R"({"a":[{"x":"1"},{"y":"2"}]})",
                   R"({"a":[{"x":"1","y":"3"},{"x":"3","y":"2"}]})"}},
        MatchCase{"NestedArraysAreElementsToo", R"({"a":{"x":["1"],"y":["2"]}})",
                  {R"({"a":[[{"x":"1","y":"2"}]]})"},
                  {R"({"a":[[{"x":"1"}],[{"y":"2"}]]})", R"({"a":[[{"x":"1"},{"y":"2"}]]})"}},
        MatchCase{"ScalarsOfAnInnerArrayLieInTheOuterElement", R"({"a":{"t":["x"],"v":["1"]}})",
                  {R"({"a":[{"t":["x","y"],"v":["2","1"]}]})"},
                  {R"({"a":[{"t":["x"],"v":["2"]},{"t":["y"],"v":["1"]}]})"}},
        MatchCase{"InnerElementsNeedTheSameOuterOne", R"({"a":{"b":{"x":["1"]},"c":{"y":["2"]}}})",
                  {R"({"a":[{"b":[{"x":"0"},{"x":"1"}],"c":[{"y":"2"}]}]})"},
                  {R"({"a":[{"b":[{"x":"1"}],"c":[]},{"b":[],"c":[{"y":"2"}]}]})"}},
        MatchCase{"ArraysOfRepeatedNamesDiffer", R"({"a":{"x":["1"],"y":["2"]}})",
                  {R"({"a":[{"x":"1"}],"a":[{"y":"2"}]})"},
                  {}},
        MatchCase{"FieldsOutsideAreFree", R"({"a":{"x":["1"]},"b":["z"]})",
                  {R"({"a":[{"x":"0"},{"x":"1"}],"b":["q","z"]})"},
                  {R"({"a":[{"x":"1"}]})"}},
        MatchCase{"AbsenceIsAskedOfTheElementChosenSoFar",
                  R"({"e":{"a":[{"exists":true}],"b":[{"exists":false}]}})",
                  {R"({"e":[{"a":1},{"b":1}]})", R"({"e":[{"a":1}]})"},
                  {R"({"e":[{"a":1,"b":1}]})", R"({"e":[{"b":1}]})"}},
        MatchCase{"AbsenceBeforeAnyChoiceIsAskedOfAll",
                  R"({"e":{"a":[{"exists":false}],"b":[{"exists":true}]}})",
                  {R"({"e":[{"b":1}]})"},
                  {R"({"e":[{"a":1},{"b":1}]})"}},
        MatchCase{"TheOrderOfPathsIsThatOfUtf16",
                  "{\"e\":{\"\\ud83d\\ude00\":[1],\"\\ue000\":[{\"exists\":false}]}}",
                  {"{\"e\":[{\"\\ud83d\\ude00\":1},{\"\\ue000\":1}]}"},
                  {"{\"e\":[{\"\\ud83d\\ude00\":1,\"\\ue000\":1}]}"}}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Case, MatchTest,
    testing::Values(
        MatchCase{"Ascii", R"({"a":[{"equals-ignore-case":"aBc1"}]})",
                  {R"({"a":"ABC1"})", R"({"a":"abc1"})"},
                  {R"({"a":"abc"})", R"({"a":"abcd1"})"}},
        MatchCase{"TwoSpellingsOfOneText",
                  R"({"a":[{"equals-ignore-case":"Ab"},{"equals-ignore-case":"aB"}]})",
                  {R"({"a":"AB"})"},
                  {R"({"a":"b"})"}},
        MatchCase{"InAPrefix", R"({"a":[{"prefix":{"equals-ignore-case":"aB"}}]})",
                  {R"({"a":"AbC"})"},
                  {R"({"a":"a"})", R"({"a":"cab"})"}},
        MatchCase{"InASuffix", R"({"a":[{"suffix":{"equals-ignore-case":".Json"}}]})",
                  {R"({"a":"x.JSON"})", R"({"a":".json"})"},
                  {R"({"a":"json"})", R"({"a":".jsonx"})"}},
        MatchCase{"SharpSStandsForTwo", R"({"a":[{"equals-ignore-case":"xß"}]})",
                  {R"({"a":"xß"})", R"({"a":"XSS"})", R"({"a":"xSS"})"},
                  {R"({"a":"xss"})", R"({"a":"xS"})"}},
        MatchCase{"TwoDoNotStandForSharpS", R"({"a":[{"equals-ignore-case":"xSS"}]})",
                  {R"({"a":"xss"})"},
                  {R"({"a":"xß"})"}},
        MatchCase{"KIsNotTheKelvinSign", R"({"a":[{"equals-ignore-case":"K"}]})",
                  {R"({"a":"k"})"},
                  {"{\"a\":\"\u212A\"}"}},
        MatchCase{"TheKelvinSignIsSmallKToo", "{\"a\":[{\"equals-ignore-case\":\"\u212A\"}]}",
                  {R"({"a":"k"})", "{\"a\":\"\u212A\"}"},
                  {R"({"a":"K"})"}},
        MatchCase{"FinalSigma", R"({"a":[{"equals-ignore-case":"ς"}]})",
                  {R"({"a":"ς"})", R"({"a":"Σ"})"},
                  {R"({"a":"σ"})"}},
        MatchCase{"DotlessAndDottedI", R"({"a":[{"equals-ignore-case":"i"}]})",
                  {R"({"a":"I"})"},
                  {R"({"a":"İ"})"}},
        MatchCase{"BeyondTheBasicPlaneNothingFolds", R"({"a":[{"equals-ignore-case":"😀"}]})",
                  {R"({"a":"😀"})"},
                  {R"({"a":"??"})"}},
        MatchCase{"AWildcardBesideASuffixChangesNothing",
                  R"({"a":[{"suffix":{"equals-ignore-case":"bc"}},{"wildcard":"*zzz"}]})",
                  {R"({"a":"aBC"})", R"({"a":"zzz"})"},
                  {R"({"a":"a/b/c"})"}},
        MatchCase{"InASuffixBackwards", R"({"a":[{"suffix":{"equals-ignore-case":"ßx"}}]})",
                  {R"({"a":"aSSX"})", R"({"a":"ßx"})"},
                  {R"({"a":"sx"})"}}),
    case_name);
// clang-format on

TEST(CaseFolding, KnowsTheLettersOfManyScripts) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"äöü", "ÄÖÜ"}, {"ÄÖÜ", "äöü"}, {"ж", "Ж"}, {"Ω", "ω"},   {"ԱՒ", "աւ"}, {"ﬁx", "FIX"},
      {"ŉ", "ʼN"},    {"ǆ", "Ǆ"},     {"ǅ", "ǅ"}, {"ａ", "Ａ"}, {"ⱥ", "Ⱥ"}};
  for (const auto& [pattern, event] : rows) {
    EXPECT_TRUE(matches(fmt::format(R"({{"a":[{{"equals-ignore-case":"{}"}}]}})", pattern),
                        fmt::format(R"({{"a":"{}"}})", event)))
        << pattern << " ~ " << event;
  }
}

}  // namespace
}  // namespace headrace
