#include "route/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace {
namespace {

using testing::HasSubstr;

/// One thing that is not in the language, and words that the message must hold.
struct Refusal {
  const char* name;
  std::string pattern;
  std::string_view message;
};

class RefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, NamesTheFieldAndWhatIsAllowed) {
  try {
    Pattern::parse(GetParam().pattern);
    FAIL() << "taken: " << GetParam().pattern;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
    EXPECT_THAT(error.what(), testing::StartsWith("pattern: "));
    EXPECT_THAT(error.what(), HasSubstr("byte ")) << "says where";
  }
}

std::string refusal_name(const testing::TestParamInfo<Refusal>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Shape, RefusalTest,
    testing::Values(
        Refusal{"NoJson", "{\"a\":[1}", "not JSON, at byte 7: ',' or ']' is expected"},
        Refusal{"TextAfterwards", "{\"a\":[1]} x", "at byte 10: text after the end"},
        Refusal{"NoObject", "[1]", "it must be an object of fields (byte 0)"},
        Refusal{"EmptyObject", "{}", "it is empty: an object needs a field"},
        Refusal{"EmptyInnerObject", R"({"a":{"b":{}}})",
                "field a.b is empty: an object needs a field"},
        Refusal{"EmptyArray", R"({"a":{"b":[]}})", "field a.b is empty: an array needs a value"},
        Refusal{"BareString", R"({"a":"x"})", "field a is a string: it must be an array"},
        Refusal{"BareNumber", R"({"a":{"b":5}})", "field a.b is a number: it must be an array"},
        Refusal{"BareNull", R"({"a":null})", "field a is null: it must be an array"},
        Refusal{"ArrayInArray", R"({"a":[["x"]]})", "field a holds an array in its array"},
        Refusal{"TooDeep", "{\"a\":" + std::string(101, '[') + std::string(101, ']') + "}",
                "more than 100 levels deep"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    Operators, RefusalTest,
    testing::Values(
        Refusal{"Unknown", R"({"a":[{"regex":"x"}]})",
                "field a has the unknown operator 'regex': it can be exactly, prefix, suffix"},
        Refusal{"None", R"({"a":[{}]})",
                "field a needs exactly one operator here: exactly, prefix"},
        Refusal{"Two", R"({"a":[{"prefix":"x","suffix":"y"}]})", "needs exactly one operator"},
        Refusal{"ExactlyANumber", R"({"a":[{"exactly":1}]})", "'exactly' takes a string"},
        Refusal{"PrefixList", R"({"a":[{"prefix":["x"]}]})",
                "'prefix' takes a string or {\"equals-ignore-case\": string}, not an array"},
        Refusal{"SuffixNumber", R"({"a":[{"suffix":5}]})", "'suffix' takes a string or"},
        Refusal{"PrefixOfAnotherOperator", R"({"a":[{"prefix":{"wildcard":"x"}}]})",
                "'prefix' knows no 'wildcard', only equals-ignore-case"},
        Refusal{"IgnoreCaseList", R"({"a":[{"equals-ignore-case":["x"]}]})",
                "'equals-ignore-case' takes a string, not an array"},
        Refusal{"ExistsText", R"({"a":[{"exists":"true"}]})", "'exists' takes true or false"},
        Refusal{"TwoStars", R"({"a":[{"wildcard":"a**b"}]})",
                "two stars side by side at character 1"},
        Refusal{"OtherEscape", R"({"a":[{"wildcard":"a\\n"}]})",
                "bad escape at character 1: only \\* and \\\\ are known"},
        Refusal{"EscapeAtTheEnd", R"({"a":[{"wildcard":"a\\"}]})", "bad escape at character 1"},
        Refusal{"NoBlock", R"({"a":[{"cidr":"10.0.0.1"}]})", "is no block of addresses, such as"},
        Refusal{"MaskTooLong", R"({"a":[{"cidr":"10.0.0.0/33"}]})", "is no block of addresses"},
        Refusal{"MaskTooLongForV6", R"({"a":[{"cidr":"::/129"}]})", "is no block of addresses"},
        Refusal{"MaskNoNumber", R"({"a":[{"cidr":"10.0.0.0/+8"}]})", "is no block of addresses"},
        Refusal{"AddressNoNumber", R"({"a":[{"cidr":"10.0.0/8"}]})", "is no block of addresses"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    Numeric, RefusalTest,
    testing::Values(
        Refusal{"NoArray", R"({"a":[{"numeric":5}]})", "'numeric' takes [\"=\", number]"},
        Refusal{"Empty", R"({"a":[{"numeric":[]}]})", "'numeric' takes"},
        Refusal{"Half", R"({"a":[{"numeric":[">"]}]})", "'numeric' takes"},
        Refusal{"OtherOperator", R"({"a":[{"numeric":["!=",5]}]})", "'numeric' takes"},
        Refusal{"UpperFirst", R"({"a":[{"numeric":["<",5,">",1]}]})",
                "a lower bound and then an upper one"},
        Refusal{"TwoLower", R"({"a":[{"numeric":[">",1,">",5]}]})", "and then an upper one"},
        Refusal{"EqualsAndMore", R"({"a":[{"numeric":["=",1,"<",5]}]})", "'numeric' takes"},
        Refusal{"TextAsBound", R"({"a":[{"numeric":[">","1"]}]})", "'>' takes a number"},
        Refusal{"BottomAboveTop", R"({"a":[{"numeric":[">",5,"<",1]}]})",
                "a lower bound below the upper one"},
        Refusal{"BottomIsTop", R"({"a":[{"numeric":[">=",5,"<=",5]}]})",
                "a lower bound below the upper one"},
        Refusal{"TooManyDigits", R"({"a":[{"numeric":[">",9007199254740993]}]})",
                "the number 9007199254740993 has more digits than can be compared"},
        Refusal{"EqualsTooLarge", R"({"a":[{"numeric":["=",1e400]}]})",
                "the number 1e400 has more digits"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    AnythingBut, RefusalTest,
    testing::Values(
        Refusal{"Nothing", R"({"a":[{"anything-but":[]}]})", "takes at least one value"},
        Refusal{"Null", R"({"a":[{"anything-but":null}]})",
                "'anything-but' takes strings, numbers, or an operator (prefix, suffix,"},
        Refusal{"True", R"({"a":[{"anything-but":true}]})",
                "takes strings, numbers, or an operator"},
        Refusal{"NullInAList", R"({"a":[{"anything-but":["x",null]}]})", "not null"},
        Refusal{"Mixed", R"({"a":[{"anything-but":["x",5]}]})",
                "takes strings or numbers, not both in one list"},
        Refusal{"ListInAList", R"({"a":[{"anything-but":[["x"]]}]})", "not an array"},
        Refusal{"OperatorInAList", R"({"a":[{"anything-but":[{"prefix":"x"}]}]})", "not an object"},
        Refusal{"EmptyPrefix", R"({"a":[{"anything-but":{"prefix":""}}]})", "with an empty prefix"},
        Refusal{"EmptySuffixInAList", R"({"a":[{"anything-but":{"suffix":["x",""]}}]})",
                "with an empty suffix"},
        Refusal{"Numeric", R"({"a":[{"anything-but":{"numeric":["=",5]}}]})",
                "knows no 'numeric': it takes prefix, suffix, equals-ignore-case or wildcard"},
        Refusal{"EmptyListOfPrefixes", R"({"a":[{"anything-but":{"prefix":[]}}]})",
                "takes at least one value"},
        Refusal{"NumberAsPrefix", R"({"a":[{"anything-but":{"prefix":5}}]})",
                "'prefix' takes a string"},
        Refusal{"FoldedPrefix", R"({"a":[{"anything-but":{"prefix":{"equals-ignore-case":"x"}}}]})",
                "'prefix' takes a string, not an object"},
        Refusal{"TwoStars", R"({"a":[{"anything-but":{"wildcard":["x","**"]}}]})", "two stars"},
        Refusal{"TooManyDigits", R"({"a":[{"anything-but":9007199254740993}]})", "more digits"},
        Refusal{"TwoOperators", R"({"a":[{"anything-but":{"prefix":"x","suffix":"y"}}]})",
                "exactly one operator here: prefix, suffix, equals-ignore-case or wildcard"}),
    refusal_name);

INSTANTIATE_TEST_SUITE_P(
    Or, RefusalTest,
    testing::Values(
        Refusal{"NoArray", R"({"$or":{"a":[1]}})", "field $or must be an array of at least two"},
        Refusal{"OneBranch", R"({"b":{"$or":[{"a":[1]}]}})",
                "field b.$or must be an array of at least two objects"},
        Refusal{"Values", R"({"$or":["x","y"]})", "field $or must hold nothing but objects"},
        Refusal{"EmptyBranch", R"({"$or":[{"a":[1]},{}]})", "it is empty"},
        Refusal{"OperatorAsField", R"({"$or":[{"prefix":["x"]},{"a":["y"]}]})",
                "field prefix is the name of an operator: it cannot be a field under $or"},
        Refusal{"OperatorAsInnerField", R"({"$or":[{"b":{"numeric":["x"]}},{"a":["y"]}]})",
                "field b.numeric is the name of an operator"}),
    refusal_name);

TEST(Pattern, RefusesOrThatMultipliesWithoutEnd) {
  std::string pattern = "{";
  for (int i = 0; i < 10; ++i) {
    pattern += fmt::format(R"({}"f{}":{{"$or":[{{"a":[1]}},{{"b":[2]}}]}})", i == 0 ? "" : ",", i);
  }
  EXPECT_THROW(Pattern::parse(pattern + "}"), Error) << "1,024 combinations";
}

TEST(Pattern, TakesOperatorNamesAsFieldsOutsideOfOr) {
  EXPECT_EQ(Pattern::parse(R"({"prefix":["x"],"a":{"exists":["y"]}})").alternatives().size(), 1u);
}

TEST(Pattern, KeepsFieldsInTheOrderOfTheirPaths) {
  const Pattern pattern = Pattern::parse(R"({"b":["x"],"a":{"c":[1],"b":[2]},"a.a":[3]})");
  std::vector<std::string> paths;
  for (const auto& field : pattern.alternatives().at(0)) paths.push_back(field.path);
  EXPECT_THAT(paths, testing::ElementsAre("a.a", "a.b", "a.c", "b"));
}

TEST(PathLess, OrdersByUtf16) {
  EXPECT_TRUE(path_less("a", "b"));
  EXPECT_TRUE(path_less("a", "a.b"));
  EXPECT_FALSE(path_less("a.b", "a.b"));
  EXPECT_TRUE(path_less("z", "é"));
  EXPECT_TRUE(path_less("\uD7FF", "😀"));
  EXPECT_TRUE(path_less("😀", "\uE000"));
  EXPECT_FALSE(path_less("\uFFFD", "😀"));
}

}  // namespace
}  // namespace headrace
