#include "net/credentials/ini.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "net/credentials/shell_words.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(Ini, ReadsSectionsAndSettings) {
  const IniSections expected{
      {"default", {{"region", "eu-central-1"}, {"output", "json"}}},
      {"profile dev", {{"role_arn", "arn:aws:iam::1:role/dev"}}},
      {"empty", {}},
  };
  EXPECT_EQ(parse_ini("[default]\nregion = eu-central-1\noutput=json\n\n"
                      "[profile dev]\nrole_arn=arn:aws:iam::1:role/dev\n[ empty ]",
                      "config"),
            expected);
}

TEST(Ini, TakesWhatEditorsLeaveBehind) {
  const IniSections expected{{"default", {{"region", "eu-central-1"}}}};
  EXPECT_EQ(parse_ini("\xef\xbb\xbf; a comment\r\n[default]  \r\n# another\r\n"
                      "  Region\t:  eu-central-1  \r\n\r\n",
                      "config"),
            expected);
}

TEST(Ini, KeepsSignsInsideValues) {
  const IniSections sections =
      parse_ini("[a]\nsecret = ab/c+d==\nnote = one # two ; three\nempty =\n", "config");
  const IniSection expected{{"secret", "ab/c+d=="}, {"note", "one # two ; three"}, {"empty", ""}};
  EXPECT_EQ(sections.at("a"), expected);
}

TEST(Ini, LeavesNestedSettingsOut) {
  const IniSections sections =
      parse_ini("[a]\n  s3 =\n    region = nested\n    max = 20\n  region = own\n", "config");
  const IniSection expected{{"s3", ""}, {"region", "own"}};
  EXPECT_EQ(sections.at("a"), expected);
}

TEST(Ini, MergesWhatComesTwice) {
  const IniSections sections = parse_ini("[a]\nx = 1\ny = 2\n[b]\n[a]\nx = 3\n", "config");
  const IniSection expected{{"x", "3"}, {"y", "2"}};
  EXPECT_EQ(sections.at("a"), expected);
}

struct Refusal {
  const char* name;
  const char* text;
  const char* message;
};

class IniRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(IniRefusal, NamesTheLineAndShowsNothingOfIt) {
  try {
    parse_ini(GetParam().text, "config");
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_STREQ(error.what(), GetParam().message);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, IniRefusal,
    testing::Values(
        Refusal{"SettingOutside", "\nsecret = x", "config:2: a setting before the first [section]"},
        Refusal{"NoEquals", "[a]\nsecret", "config:2: neither a [section] nor a setting with '='"},
        Refusal{"NoName", "[a]\n= secret", "config:2: a value without a name"},
        Refusal{"OpenBracket", "[secret", "config:1: a '[' without its ']'"},
        Refusal{"EmptySection", "[ ]", "config:1: a section without a name"}),
    [](const auto& row) { return row.param.name; });

TEST(ShellWords, SplitsAsAShellDoesWithoutRunningOne) {
  EXPECT_THAT(shell_words("  a  bc\td "), Optional(ElementsAre("a", "bc", "d")));
  EXPECT_THAT(shell_words(R"(get 'a b' "c \"d\" \n" e\ f '')"),
              Optional(ElementsAre("get", "a b", R"(c "d" \n)", "e f", "")));
  EXPECT_THAT(shell_words("a'b'\"c\"d"), Optional(ElementsAre("abcd")));
  EXPECT_THAT(shell_words("echo $HOME | cat > *"),
              Optional(ElementsAre("echo", "$HOME", "|", "cat", ">", "*")));
  EXPECT_THAT(shell_words(""), Optional(ElementsAre()));
}

TEST(ShellWords, HasNoneForAnOpenQuote) {
  for (const char* text : {"'a", "\"a", "\"a\\\"", "a\\"}) {
    EXPECT_EQ(shell_words(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace headrace
