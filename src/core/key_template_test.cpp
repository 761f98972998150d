#include "core/key_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::Optional;

const KeyFields kNoFields;

TEST(KeyTemplate, ReadsTheFieldsOfAKey) {
  const auto keys = KeyTemplate::parse("events/{event_type}/dt={date}/{name}.jsonl");
  EXPECT_THAT(keys.match("events/order.created/dt=2026-01-31/part-7.jsonl"),
              Optional(KeyFields{
                  {"event_type", "order.created"}, {"date", "2026-01-31"}, {"name", "part-7"}}));
  EXPECT_THAT(keys.fields(), ElementsAre("event_type", "date", "name"));
  EXPECT_EQ(keys.text(), "events/{event_type}/dt={date}/{name}.jsonl");
}

TEST(KeyTemplate, BuildsAKeyAndLeavesOutFieldsItDoesNotName) {
  const auto keys = KeyTemplate::parse("analyzed/{name}");
  EXPECT_EQ(keys.build({{"name", "x.json"}, {"date", "2026-01-31"}}), "analyzed/x.json");
}

TEST(KeyTemplate, WithoutFieldsIsOneKey) {
  const auto keys = KeyTemplate::parse("state/complete");
  EXPECT_THAT(keys.match("state/complete"), Optional(kNoFields));
  EXPECT_EQ(keys.match("state/complete2"), std::nullopt);
  EXPECT_EQ(keys.match("state/"), std::nullopt);
  EXPECT_EQ(keys.build(kNoFields), "state/complete");
}

TEST(KeyTemplate, ReadsAnUploadGrantsKey) {
  const auto keys = KeyTemplate::parse(
      "incoming/{unique_id}_{human_readable_id}_{time:%Y%m%dT%H%M%SZ}_{uuid}.{kind}.json.gz");
  const std::string key =
      "incoming/u1_anna_20260131T090807Z_01234567-89ab-cdef-0123-456789abcdef.friend.json.gz";
  const auto fields = keys.match(key);
  EXPECT_THAT(fields, Optional(KeyFields{{"unique_id", "u1"},
                                         {"human_readable_id", "anna"},
                                         {"time", "20260131T090807Z"},
                                         {"uuid", "01234567-89ab-cdef-0123-456789abcdef"},
                                         {"kind", "friend"}}));
  EXPECT_EQ(keys.build(*fields), key);
}

struct MatchCase {
  const char* name;
  std::string_view text;
  std::string_view key;
  std::optional<KeyFields> expected;
};

class KeyTemplateMatchTest : public testing::TestWithParam<MatchCase> {};

TEST_P(KeyTemplateMatchTest, SaysWhatTheKeySays) {
  const MatchCase& row = GetParam();
  EXPECT_EQ(KeyTemplate::parse(std::string(row.text)).match(row.key), row.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, KeyTemplateMatchTest,
    testing::Values(
        MatchCase{"TextStaysInItsSegment", "a/{x}.json", "a/b/c.json", std::nullopt},
        MatchCase{"TextIsNeverEmpty", "a/{x}.json", "a/.json", std::nullopt},
        MatchCase{"LastTextReachesFar", "{x}.json", "a.json.json", KeyFields{{"x", "a.json"}}},
        MatchCase{"EarlierTextEndsAtItsLiteral", "{x}-{y}", "a-b-c",
                  KeyFields{{"x", "a"}, {"y", "b-c"}}},
        MatchCase{"LiteralMayHoldASlash", "{x}/dt={y}", "a/dt=b",
                  KeyFields{{"x", "a"}, {"y", "b"}}},
        MatchCase{"LiteralAfterTheSlashMustHold", "{x}/dt={y}", "a/b/dt=c", std::nullopt},
        MatchCase{"RestTakesSlashes", "a/{r...}", "a/b/c/d", KeyFields{{"r", "b/c/d"}}},
        MatchCase{"RestMayHaveAnEnd", "a/{r...}.gz", "a/b/c.gz", KeyFields{{"r", "b/c"}}},
        MatchCase{"RestIsNeverEmpty", "a/{r...}", "a/", std::nullopt},
        MatchCase{"IntKeepsZeros", "{month:int}/{d:int}", "01/2",
                  KeyFields{{"month", "01"}, {"d", "2"}}},
        MatchCase{"IntIsDigits", "part-{int}.gz", "part-1x.gz", std::nullopt},
        MatchCase{"IntHasNoSign", "{int}", "-1", std::nullopt},
        MatchCase{"IntOf63Bits", "{int}", "9223372036854775807",
                  KeyFields{{"int", "9223372036854775807"}}},
        MatchCase{"IntBeyond63Bits", "{int}", "9223372036854775808", std::nullopt},
        MatchCase{"UuidInCapitals", "{id:uuid}", "01234567-89AB-CDEF-0123-456789ABCDEF",
                  KeyFields{{"id", "01234567-89AB-CDEF-0123-456789ABCDEF"}}},
        MatchCase{"UuidNeedsItsDashes", "{uuid}", "0123456789abcdef0123456789abcdef0000",
                  std::nullopt},
        MatchCase{"UuidTooShort", "{uuid}-{x}", "0123-a", std::nullopt},
        MatchCase{"UuidBeforeADash", "{uuid}-{x}", "01234567-89ab-cdef-0123-456789abcdef-a",
                  KeyFields{{"uuid", "01234567-89ab-cdef-0123-456789abcdef"}, {"x", "a"}}},
        MatchCase{"TimeAcrossSegments", "{t:%Y/%m/%d}/{x}", "2024/02/29/a",
                  KeyFields{{"t", "2024/02/29"}, {"x", "a"}}},
        MatchCase{"TimeBeforeWhatItHolds", "{t:%H-%M}-{x}", "23-59-a",
                  KeyFields{{"t", "23-59"}, {"x", "a"}}},
        MatchCase{"TimeWithAPercentSign", "{t:%Y%%}", "2024%", KeyFields{{"t", "2024%"}}},
        MatchCase{"NoSuchDay", "{t:%Y-%m-%d}", "2023-02-29", std::nullopt},
        MatchCase{"NoSuchMonth", "{t:%m}", "13", std::nullopt},
        MatchCase{"NoSuchHour", "{t:%H:%M:%S}", "24:00:00", std::nullopt},
        MatchCase{"NoSuchSecond", "{t:%H:%M:%S}", "23:59:60", std::nullopt},
        MatchCase{"LeapDayWithoutAYear", "{t:%m-%d}", "02-29", KeyFields{{"t", "02-29"}}},
        MatchCase{"TimeNeedsAllDigits", "{t:%Y-%m}", "2024-1", std::nullopt},
        MatchCase{"TimeIsDigits", "{t:%Y-%m}", "2024-+1", std::nullopt},
        MatchCase{"TimeLiteral", "{t:%Y-%m}", "2024/01", std::nullopt},
        MatchCase{"OtherPrefix", "a/{x}", "b/x", std::nullopt},
        MatchCase{"PrefixOnly", "abc{x}", "ab", std::nullopt},
        MatchCase{"Unicode", "ä/{x}ö", "ä/üö", KeyFields{{"x", "ü"}}},
        MatchCase{"Empty", "{x}", "", std::nullopt}),
    [](const auto& row) { return row.param.name; });

struct RefusedTemplate {
  const char* name;
  std::string_view text;
  std::string_view message;
};

class KeyTemplateRefusalTest : public testing::TestWithParam<RefusedTemplate> {};

TEST_P(KeyTemplateRefusalTest, NamesThePlace) {
  const RefusedTemplate& row = GetParam();
  try {
    KeyTemplate::parse(std::string(row.text));
    FAIL() << row.text << " was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_EQ(error.what(), fmt::format("key template `{}`, character {}", row.text, row.message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Templates, KeyTemplateRefusalTest,
    testing::Values(
        RefusedTemplate{"Empty", "", "1: is empty"},
        RefusedTemplate{"OpenBrace", "a/{b", "3: `{` is never closed"},
        RefusedTemplate{"BraceInBrace", "a/{b{c}", "3: `{` is never closed"},
        RefusedTemplate{"CloseOnly", "a}b", "2: `}` without a `{` before it"},
        RefusedTemplate{"CountsCharacters", "äö}b", "3: `}` without a `{` before it"},
        RefusedTemplate{"CloseAfterAField", "{a}}", "4: `}` without a `{` before it"},
        RefusedTemplate{"NoName", "a/{}", "4: `` is no field name; use letters, digits and _"},
        RefusedTemplate{"BadName", "{a-b}", "2: `a-b` is no field name; use letters, digits and _"},
        RefusedTemplate{"DigitFirst", "{1a}",
                        "2: `1a` is no field name; use letters, digits and _"},
        RefusedTemplate{"UnknownType", "{a:integer}",
                        "4: `integer` is no type; there are int, uuid and times such as %Y-%m-%d"},
        RefusedTemplate{"UnknownDirective", "x{a:%Y-%B}",
                        "8: `%B` is not known in times; there are %Y %m %d %H %M %S %%"},
        RefusedTemplate{"PercentAtTheEnd", "{a:%Y%}",
                        "6: `%` is not known in times; there are %Y %m %d %H %M %S %%"},
        RefusedTemplate{"SideBySide", "a/{x}{y}",
                        "6: nothing tells where `x` ends and `y` begins; put a literal between "
                        "them"},
        RefusedTemplate{"FieldAfterRest", "{x...}/{y}",
                        "1: `{x...}` takes all the rest, so no field can follow it"},
        RefusedTemplate{"SameNameTwice", "{x}/{x}", "5: a second field named `x`"},
        RefusedTemplate{"DigitAfterInt", "{n:int}0/{x}",
                        "8: a digit right after the number `n` would be part of it"}),
    [](const auto& row) { return row.param.name; });

struct RefusedValue {
  const char* name;
  std::string_view text;
  KeyFields fields;
  std::string_view message;
};

class KeyTemplateBuildTest : public testing::TestWithParam<RefusedValue> {};

TEST_P(KeyTemplateBuildTest, RefusesWhatItCouldNotReadBack) {
  const RefusedValue& row = GetParam();
  try {
    KeyTemplate::parse(std::string(row.text)).build(row.fields);
    FAIL() << "was built";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_EQ(error.what(), fmt::format("key template `{}`: field {}", row.text, row.message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Values, KeyTemplateBuildTest,
    testing::Values(RefusedValue{"Missing", "{x}", {{"y", "1"}}, "`x` has no value"},
                    RefusedValue{"Empty", "{x}", {{"x", ""}}, "`x` cannot be ``"},
                    RefusedValue{"Slash", "{x}", {{"x", "a/b"}}, "`x` cannot be `a/b`"},
                    RefusedValue{"NoInt", "{x:int}", {{"x", "1.5"}}, "`x` cannot be `1.5`"},
                    RefusedValue{"NoTime", "{x:%Y}", {{"x", "24"}}, "`x` cannot be `24`"},
                    RefusedValue{"HoldsTheLiteral",
                                 "{x}_{y}",
                                 {{"x", "a_b"}, {"y", "c"}},
                                 "`x` cannot be `a_b`: it runs into the `_` that follows"},
                    RefusedValue{"BeginsTheLiteral",
                                 "{x}--{y}",
                                 {{"x", "a-"}, {"y", "c"}},
                                 "`x` cannot be `a-`: it runs into the `--` that follows"}),
    [](const auto& row) { return row.param.name; });

/// Templates and values out of a few letters, so that values often run into literals.
class RandomTemplate {
 public:
  explicit RandomTemplate(Random& random) : random_(random) {
    text_ = letters("ab-/._=", 0, 4);
    const std::uint64_t count = 1 + random_.below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      add_field(fmt::format("f{}", i), i + 1 == count);
      text_ += letters("ab-/._=", i + 1 == count ? 0 : 1, 3);
    }
  }

  const std::string& text() const { return text_; }
  const KeyFields& fields() const { return fields_; }

 private:
  std::string letters(std::string_view alphabet, std::size_t least, std::size_t most) {
    std::string out;
    for (std::size_t n = least + random_.below(most - least + 1); n > 0; --n) {
      out += alphabet[random_.below(alphabet.size())];
    }
    return out;
  }

  void add_field(const std::string& name, bool last) {
    switch (random_.below(last ? 5 : 4)) {
      case 0:
        text_ += fmt::format("{{{}:int}}", name);
        fields_[name] = std::to_string(random_.next() >> (1 + random_.below(63)));
        break;
      case 1:
        text_ += fmt::format("{{{}:uuid}}", name);
        fields_[name] = random_.uuid();
        break;
      case 2:
        text_ += fmt::format("{{{}:%Y-%m-%dT%H}}", name);
        fields_[name] =
            fmt::format("{:04}-{:02}-{:02}T{:02}", random_.below(10000), 1 + random_.below(12),
                        1 + random_.below(28), random_.below(24));
        break;
      case 3:
        text_ += fmt::format("{{{}}}", name);
        fields_[name] = letters("ab-._=", 1, 6);
        break;
      default:
        text_ += fmt::format("{{{}...}}", name);
        fields_[name] = letters("ab-/._=", 1, 8);
    }
  }

  Random& random_;
  std::string text_;
  KeyFields fields_;
};

TEST(KeyTemplate, ReadsBackWhateverItBuilds) {
  SeededRandom random(20260131);
  int built = 0;
  constexpr int kRounds = 20'000;
  for (int round = 0; round < kRounds; ++round) {
    const RandomTemplate sample(random);
    const auto keys = KeyTemplate::parse(sample.text());
    std::string key;
    try {
      key = keys.build(sample.fields());
    } catch (const Error&) {
      continue;  // A value that runs into the literal after it.
    }
    ++built;
    ASSERT_EQ(keys.match(key), sample.fields()) << sample.text() << " built " << key;
  }
  EXPECT_GT(built, kRounds / 2);
  EXPECT_LT(built, kRounds);
}

TEST(KeyTemplate, AFieldsNameMayBeAPath) {
  const KeyTemplate key = KeyTemplate::parse("{actor.login}/{x.y_2:int}.json");
  EXPECT_EQ(key.build({{"actor.login", "ada"}, {"x.y_2", "7"}}), "ada/7.json");
  for (const char* name : {"{.a}", "{a.}", "{a..b}", "{a.1}"}) {
    EXPECT_THROW(KeyTemplate::parse(name), Error) << name;
  }
}

}  // namespace
}  // namespace headrace
