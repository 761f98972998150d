#include "route/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Rule> rules_of(const std::vector<std::string>& patterns) {
  std::vector<Rule> out;
  for (const std::string& pattern : patterns) {
    const auto id = static_cast<std::uint32_t>(out.size());
    out.push_back({id, Pattern::parse(pattern), fmt::format("r{}", id)});
  }
  return out;
}

struct FindingCase {
  const char* name;
  const char* pattern;
  const char* kind;
  const char* field;
  const char* what;
};

class LintTest : public testing::TestWithParam<FindingCase> {};

TEST_P(LintTest, IsTold) {
  const auto found = lint(rules_of({GetParam().pattern}));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].rule, "r0");
  EXPECT_EQ(found[0].kind, GetParam().kind);
  EXPECT_EQ(found[0].field, GetParam().field);
  EXPECT_THAT(found[0].what, HasSubstr(GetParam().what));
}

INSTANTIATE_TEST_SUITE_P(
    Findings, LintTest,
    testing::Values(
        FindingCase{"AFieldNoEventHas", R"({"detail":{"bucket":["b"]}})", "never", "detail.bucket",
                    "no event has this field; there is detail.bucket.name"},
        FindingCase{"AnEventBridgeFieldWeLack", R"({"account":["1"]})", "never", "account",
                    "no event has this field"},
        FindingCase{"AStringWhereANumberIs", R"({"detail":{"object":{"size":["5"]}}})", "never",
                    "detail.object.size", "it is a number: write it without quotes"},
        FindingCase{"ANumberWhereAStringIs", R"({"detail":{"object":{"key":[5]}}})", "never",
                    "detail.object.key", "it is a string, never a number"},
        FindingCase{"ANegativeSize", R"({"detail":{"object":{"size":[{"numeric":["<",-1]}]}}})",
                    "never", "detail.object.size", "never below 0"},
        FindingCase{"AnotherSource", R"({"source":["aws.ec2"]})", "never", "source",
                    "it is always \"aws.s3\""},
        FindingCase{"ATypeInOtherCase", R"({"detail-type":["object created"]})", "never",
                    "detail-type", "the type is written \"Object Created\""},
        FindingCase{"ANullWhereNoneIs", R"({"id":[null]})", "never", "id", "never null"},
        FindingCase{"APrefixOfAPrefix",
                    R"({"detail":{"object":{"key":[{"prefix":"a/"},{"prefix":"a/b"}]}}})",
                    "needless", "detail.object.key",
                    "begins with \"a/\" includes begins with \"a/b\""},
        FindingCase{"AValueTwice", R"({"id":["x","x"]})", "needless", "id", "is \"x\""},
        FindingCase{"AWildcardThatIsAPrefix", R"({"id":[{"wildcard":"x*"}]})", "costly", "id",
                    "it is a prefix"},
        FindingCase{"AWildcardThatIsASuffix", R"({"id":[{"wildcard":"*x"}]})", "costly", "id",
                    "it is a suffix"},
        FindingCase{"AWildcardForAll", R"({"id":[{"wildcard":"*"}]})", "costly", "id",
                    "it fits every string"},
        FindingCase{"AWildcardOpenAtBothEnds", R"({"id":[{"wildcard":"*x*"}]})", "costly", "id",
                    "open at both ends"},
        FindingCase{"AWildcardOfManyStars", R"({"id":[{"wildcard":"a*b*c*d*e*f"}]})", "costly",
                    "id", "it has 5 stars"}),
    [](const auto& row) { return row.param.name; });

TEST(Lint, SaysNothingOfWhatIsRight) {
  EXPECT_THAT(lint(rules_of({
                  R"({"detail-type":["Object Created"],"source":["aws.s3"],"detail":{"object":
                      {"key":[{"wildcard":"a/*.json"}],"size":[{"numeric":[">",0]}]},
                      "key_fields":{"type":["x",{"prefix":"y"}]},"gone":[{"exists":false}]}})",
                  R"({"detail-type":["Object Deleted"]})",
              })),
              IsEmpty());
}

TEST(Lint, SaysNothingOfFieldsOfRows) {
  EXPECT_THAT(lint(rules_of({R"({"account":["1"],"source":[5]})"}), {.of_events = false}),
              IsEmpty());
}

TEST(Lint, TellsOfRulesInTheShadowOfAnother) {
  const auto found = lint(rules_of({
      R"({"detail":{"object":{"key":[{"prefix":"a/"}]}}})",
      R"({"detail":{"object":{"key":[{"prefix":"a/b/"},"a/c"],"size":[{"numeric":[">",0]}]}}})",
      R"({"detail":{"object":{"key":[{"suffix":"a/"}]}}})",
      R"({"detail":{"object":{"key":[{"prefix":"a/"}]}}})",
  }));
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[0].rule, "r1");
  EXPECT_EQ(found[0].what, "wants no event that r0 does not want too");
  EXPECT_EQ(found[2].rule, "r3");
  EXPECT_EQ(found[2].what, "wants the same events as r0");
}

TEST(Lint, DoesNotCompareTheTextsOfALongListPairByPair) {
  std::string list;
  for (int i = 0; i < 50'000; ++i) list += fmt::format("\"v{}\",", i);
  const auto found = lint(rules_of({fmt::format(R"({{"id":[{}"v7",{{"suffix":"49"}}]}})", list)}));
  ASSERT_THAT(found, SizeIs(501));
  EXPECT_EQ(found[0].what, R"(ends with "49" includes is "v49")");
  EXPECT_EQ(found.back().what, R"(is "v7" includes is "v7")");
}

/// Whatever implies() says is held against all values.
TEST(Lint, ImpliesOnlyWhatEveryValueBearsOut) {
  std::vector<Condition> conditions;
  for (const char* one : {R"("a")",
                          R"("ab")",
                          R"({"prefix":"a"})",
                          R"({"prefix":"ab"})",
                          R"({"suffix":"b"})",
                          R"({"wildcard":"a*b"})",
                          R"({"equals-ignore-case":"AB"})",
                          "5",
                          "5.0",
                          "true",
                          "null",
                          R"({"numeric":[">",4]})",
                          R"({"numeric":[">=",5,"<",7]})",
                          R"({"exists":true})",
                          R"({"exists":false})",
                          R"({"anything-but":"a"})",
                          R"({"anything-but":["a","ab"]})",
                          R"({"anything-but":{"prefix":"a"}})",
                          R"({"cidr":"10.0.0.0/8"})",
                          R"({"cidr":"10.1.0.0/16"})",
                          R"("10.1.0.1")"}) {
    const Pattern pattern = Pattern::parse(fmt::format(R"({{"f":[{}]}})", one));
    conditions.push_back(pattern.alternatives()[0][0].any_of[0]);
  }
  std::vector<FieldValue> values;
  for (const char* text : {"a", "ab", "b", "AB", "abb", "10.1.0.1", "10.2.0.1", "", "5"}) {
    values.emplace_back(FieldValue::Kind::kString, text);
  }
  for (const char* text : {"5", "4", "6.5", "7", "-1"}) {
    values.emplace_back(FieldValue::Kind::kNumber, text);
  }
  for (const char* text : {"true", "null"}) values.emplace_back(FieldValue::Kind::kWord, text);
  std::size_t implied = 0;
  for (const Condition& narrow : conditions) {
    for (const Condition& wide : conditions) {
      if (!implies(narrow, wide)) continue;
      ++implied;
      for (const FieldValue& value : values) {
        EXPECT_TRUE(!narrow.fits(value) || wide.fits(value))
            << narrow.words() << " / " << wide.words() << " / " << value.text();
      }
    }
  }
  EXPECT_GT(implied, 2 * conditions.size());
}

}  // namespace
}  // namespace headrace
