#include "route/match_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kCreated = R"({"detail-type":["Object Created"])";

struct ShorthandCase {
  const char* name;
  std::string_view match;
  std::string pattern;
};

class ShorthandTest : public testing::TestWithParam<ShorthandCase> {};

TEST_P(ShorthandTest, BecomesAPattern) {
  EXPECT_EQ(shorthand_to_pattern(GetParam().match), GetParam().pattern);
}

std::string created(std::string_view detail) {
  return fmt::format(R"({},"detail":{}}})", kCreated, detail);
}

INSTANTIATE_TEST_SUITE_P(
    Match, ShorthandTest,
    testing::Values(
        ShorthandCase{"NothingWantsEveryCreation", "", std::string(kCreated) + "}"},
        ShorthandCase{"EmptyToo", "{}", std::string(kCreated) + "}"},
        ShorthandCase{"Type", R"({"type":"Object Deleted"})",
                      R"({"detail-type":["Object Deleted"]})"},
        ShorthandCase{"Types", R"({"type":["Object Created",{"prefix":"Object Tags"}]})",
                      R"({"detail-type":["Object Created",{"prefix":"Object Tags"}]})"},
        ShorthandCase{"Bucket", R"({"bucket":"b"})", created(R"({"bucket":{"name":["b"]}})")},
        ShorthandCase{"BucketPrefix", R"({"bucket":{"prefix":"b-"}})",
                      created(R"({"bucket":{"name":[{"prefix":"b-"}]}})")},
        ShorthandCase{"KeyText", R"({"key":"a/b"})", created(R"({"object":{"key":["a/b"]}})")},
        ShorthandCase{"KeySuffix", R"({"key":{"suffix":".json"}})",
                      created(R"({"object":{"key":[{"suffix":".json"}]}})")},
        ShorthandCase{"KeyPrefixAndSuffix", R"({"key":{"prefix":"a*\\","suffix":".json"}})",
                      created(R"({"object":{"key":[{"wildcard":"a\\*\\\\*.json"}]}})")},
        ShorthandCase{"KeyGlob", R"({"key":{"glob":"a/**/x-*.json"}})",
                      created(R"({"object":{"key":[{"wildcard":"a/*/x-*.json"}]}})")},
        ShorthandCase{"KeyGlobEscapes", R"({"key":{"glob":"\\?\\**\\\\\\["}})",
                      created(R"({"object":{"key":[{"wildcard":"?\\**\\\\["}]}})")},
        ShorthandCase{"KeyList", R"({"key":["a",{"anything-but":{"prefix":"tmp/"}}]})",
                      created(R"({"object":{"key":["a",{"anything-but":{"prefix":"tmp/"}}]}})")},
        ShorthandCase{"Size", R"({"size":5})", created(R"({"object":{"size":[5]}})")},
        ShorthandCase{"SizeBounds", R"({"size":{"<=":"5MiB",">":0}})",
                      created(R"({"object":{"size":[{"numeric":[">",0,"<=",5242880]}]}})")},
        ShorthandCase{"SizeEquals", R"({"size":{"=":"1KB"}})",
                      created(R"({"object":{"size":[{"numeric":["=",1000]}]}})")},
        ShorthandCase{
            "KeyFields", R"({"key_fields":{"event_type":[{"prefix":"checkout."}],"d":"x"}})",
            created(R"({"key_fields":{"event_type":[{"prefix":"checkout."}],"d":["x"]}})")},
        ShorthandCase{
            "AllAtOnce",
            R"({"type":"Object Created","bucket":"b","key":{"suffix":".json"},"size":{">":0}})",
            created(R"({"bucket":{"name":["b"]},"object":{"key":[{"suffix":".json"}],)"
                    R"("size":[{"numeric":[">",0]}]}})")},
        ShorthandCase{"RawPattern", R"({"pattern": {"source" : ["aws.s3"]} })",
                      R"({"source" : ["aws.s3"]})"}),
    [](const auto& row) { return row.param.name; });

TEST(MatchSpec, TakesTheLinesOfAFileAsValues) {
  constexpr std::string_view kMatch =
      R"({"key_fields":{"event_type":{"file":"types.txt"}},"bucket":{"file":"buckets.txt"}})";
  EXPECT_THAT(match_files(kMatch), ElementsAre("types.txt", "buckets.txt"));
  const MatchFiles files{{"types.txt", value_lines("# known\r\norder.made\r\n\norder.paid")},
                         {"buckets.txt", {"b"}}};
  EXPECT_EQ(read_match(kMatch, files).pattern,
            created(R"({"bucket":{"name":["b"]},)"
                    R"("key_fields":{"event_type":["order.made","order.paid"]}})"));
}

TEST(MatchSpec, PassesTagsOn) {
  EXPECT_THAT(read_match(R"({"unless_tagged":"processed"})").unless_tagged,
              ElementsAre("processed"));
  const MatchSpec spec = read_match(R"({"unless_tagged":["a","b"],"pattern":{"source":["x"]}})");
  EXPECT_THAT(spec.unless_tagged, ElementsAre("a", "b"));
  EXPECT_EQ(spec.pattern, R"({"source":["x"]})");
  EXPECT_THAT(read_match("{}").unless_tagged, IsEmpty());
}

struct BadMatch {
  const char* name;
  std::string_view match;
  std::string_view message;
};

class BadMatchTest : public testing::TestWithParam<BadMatch> {};

TEST_P(BadMatchTest, IsRefusedByItsKey) {
  try {
    read_match(GetParam().match, {{"empty.txt", {}}});
    FAIL() << "taken: " << GetParam().match;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Match, BadMatchTest,
    testing::Values(
        BadMatch{"NoJson", "{", "match: not JSON"},
        BadMatch{"NoObject", "[]", "match: it takes bucket, key, size, type"},
        BadMatch{"UnknownKey", R"({"keys":"x"})", "match: keys is not known: there is bucket, key"},
        BadMatch{"NumberAsKey", R"({"key":5})", "match: key takes a string, a list of values"},
        BadMatch{"EmptyKey", R"({"key":{}})", "match: key takes a string"},
        BadMatch{"UnknownPart", R"({"key":{"begins":"x"}})", "match: key knows no 'begins'"},
        BadMatch{"NumberAsPrefix", R"({"key":{"prefix":5}})", "match: key.prefix takes a string"},
        BadMatch{"GlobAndPrefix", R"({"key":{"glob":"*","prefix":"x"}})", "write them as one glob"},
        BadMatch{"QuestionMark", R"({"key":{"glob":"a?"}})", "match: key.glob has '?'"},
        BadMatch{"Brackets", R"({"key":{"glob":"[ab]"}})", "match: key.glob has '['"},
        BadMatch{"BadEscapeInGlob", R"({"key":{"glob":"a\\n"}})", "field detail.object.key"},
        BadMatch{"SizeText", R"({"size":"big"})", "match: size takes a size, or bounds"},
        BadMatch{"SizeUnknownBound", R"({"size":{"!=":5}})", "match: size takes a size, or bounds"},
        BadMatch{"SizeTwoLowerBounds", R"({"size":{">":5,">=":6}})", "takes '>' or '>=', not both"},
        BadMatch{"SizeEqualsAndMore", R"({"size":{"=":5,"<":6}})", "'numeric' takes"},
        BadMatch{"SizeUpsideDown", R"({"size":{">":5,"<":1}})", "a lower bound below"},
        BadMatch{"SizeEmpty", R"({"size":{}})", "match: size takes a size"},
        BadMatch{"EmptyList", R"({"bucket":[]})", "field detail.bucket.name is empty"},
        BadMatch{"NoKeyFields", R"({"key_fields":{}})", "match: key_fields takes the names"},
        BadMatch{"KeyFieldNumber", R"({"key_fields":{"a":1}})", "match: key_fields.a takes"},
        BadMatch{"FileNotRead", R"({"key_fields":{"a":{"file":"x.txt"}}})",
                 "match: key_fields.a names the file x.txt, not read"},
        BadMatch{"FileEmpty", R"({"bucket":{"file":"empty.txt"}})", "which has no values"},
        BadMatch{"FileAndMore", R"({"bucket":{"file":"x","prefix":"y"}})",
                 "with nothing beside it"},
        BadMatch{"PatternAndKey", R"({"pattern":{"a":[1]},"key":"x"})", "pattern stands alone"},
        BadMatch{"BadPattern", R"({"pattern":{"a":1}})", "field a is a number"},
        BadMatch{"NoTag", R"({"unless_tagged":[]})", "takes the name of a tag"},
        BadMatch{"TagNumber", R"({"unless_tagged":[1]})", "takes names of tags"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace headrace
