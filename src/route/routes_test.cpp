#include "route/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "route/match_spec.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Event an_event() {
  Event event;
  event.id = "1";
  event.store = "lake";
  event.origin = "landing";
  event.object = {"mydataset", "dataset/a.json"};
  event.size = 3;
  event.key_fields = {{"name", "a"}};
  return event;
}

Routes some_routes() {
  const auto shorthand = [](std::string_view match) {
    return Pattern::parse(shorthand_to_pattern(match));
  };
  return Routes(
      {{"blank", {"landing"}, shorthand(R"({"key":{"suffix":".json"},"size":{">":0}})")},
       {"nightly", {"listing", "inbox"}, shorthand("{}")},
       {"all", {}, Pattern::parse(R"({"source":["aws.s3"]})")},
       {"named", {"landing"}, shorthand(R"({"key_fields":{"name":["b",{"prefix":"c"}]}})")}});
}

TEST(Routes, GivesTheRoutesThatWantAnEvent) {
  const Routes routes = some_routes();
  EXPECT_THAT(routes.wanting(an_event()), ElementsAre(0, 2));
  EXPECT_EQ(routes.name(2), "all");
  EXPECT_EQ(routes.size(), 4u);
  Event event = an_event();
  event.size = 0;
  EXPECT_THAT(routes.wanting(event), ElementsAre(2));
  event.kind = EventKind::kDeleted;
  EXPECT_THAT(routes.wanting(event), ElementsAre(2));
}

TEST(Routes, TakeEventsOfTheirSourcesOnly) {
  const Routes routes = some_routes();
  Event event = an_event();
  event.origin = "inbox";
  EXPECT_THAT(routes.wanting(event), ElementsAre(1, 2));
  event.origin = "elsewhere";
  EXPECT_THAT(routes.wanting(event), ElementsAre(2));
  EXPECT_THAT(Routes({}).wanting(event), IsEmpty());
}

TEST(Routes, OfTheSameSourcesAreOneAudience) {
  const Pattern any = Pattern::parse(R"({"source":["aws.s3"]})");
  const Routes routes({{"all", {}, any},
                       {"a", {"a"}, any},
                       {"b", {"b"}, any},
                       {"ab", {"a", "b"}, any},
                       {"ba", {"b", "a", "b"}, any},
                       {"joined", {"ab"}, any}});
  EXPECT_EQ(routes.audience(3), routes.audience(4));
  EXPECT_EQ((std::set{routes.audience(0), routes.audience(1), routes.audience(2),
                      routes.audience(3), routes.audience(5)}
                 .size()),
            5u);
  EXPECT_EQ(routes.audience(0), 0u);
  EXPECT_EQ(routes.audience(3), 1019077164484345170u)
      << "never changes, since the ledger keeps what is made of it";
}

TEST(Routes, UseTheJsonTheyAreGiven) {
  const Routes routes = some_routes();
  const Event event = an_event();
  EXPECT_THAT(routes.wanting(event, to_json(event)), ElementsAre(0, 2));
}

TEST(Routes, SayWhyTheyRefuse) {
  Event event = an_event();
  event.size = 0;
  const auto told = some_routes().explain(event);
  ASSERT_EQ(told.size(), 4u);
  EXPECT_FALSE(told[0].matches);
  EXPECT_EQ(told[0].field, "detail.object.size");
  EXPECT_EQ(told[0].why, "it is 0, which does not fit; wanted: is above 0");
  EXPECT_EQ(told[1].field, "from");
  EXPECT_EQ(told[1].why, "the event came through 'landing'; the route takes: listing, inbox");
  EXPECT_TRUE(told[2].matches);
  EXPECT_EQ(told[2].why, "");
  EXPECT_EQ(told[3].field, "detail.key_fields.name");
  EXPECT_EQ(told[3].why, R"(it is "a", which does not fit; wanted: is "b", or begins with "c")");
}

struct WhyCase {
  const char* name;
  std::string_view pattern;
  std::string_view event;
  std::string_view field;
  std::string_view why;
};

class WhyTest : public testing::TestWithParam<WhyCase> {};

TEST_P(WhyTest, IsToldInWords) {
  const WhyCase& row = GetParam();
  const Rule rule{4, Pattern::parse(row.pattern)};
  const auto told = explain(std::span(&rule, 1), row.event);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].id, 4u);
  EXPECT_FALSE(told[0].matches);
  EXPECT_EQ(told[0].field, row.field);
  EXPECT_EQ(told[0].why, row.why);
}

INSTANTIATE_TEST_SUITE_P(
    Explain, WhyTest,
    testing::Values(
        WhyCase{"NothingThere", R"({"a":[{"exists":true}]})", "{}", "a",
                "the event has no value there; wanted: is there"},
        WhyCase{"SomethingThere", R"({"a":[{"exists":false}]})", R"({"a":null})", "a",
                "it is null, which does not fit; wanted: is absent"},
        WhyCase{"SeveralValues", R"({"a":[5]})", R"({"a":["x",7]})", "a",
                R"(it is one of "x", 7, which does not fit; wanted: is the number 5)"},
        WhyCase{
            "ManyWanted", R"({"a":["1","2","3","4","5","6","7"]})", R"({"a":"8"})", "a",
            R"(it is "8", which does not fit; wanted: is "1", or is "2", or is "3", or is "4", )"
            R"(or is "5" ... 2 more)"},
        WhyCase{"AnythingBut", R"({"a":[{"anything-but":{"prefix":["x","y"]}}]})", R"({"a":"xy"})",
                "a",
                R"(it is "xy", which does not fit; wanted: is there, but not one that begins with )"
                R"("x" or begins with "y")"},
        WhyCase{
            "Operators",
            R"({"a":[{"equals-ignore-case":"x"},{"wildcard":"x*y"},{"cidr":"10.0.0.0/8"},
                         {"numeric":[">=",1,"<",5]},null]})",
            R"({"a":"z"})", "a",
            R"(it is "z", which does not fit; wanted: is "x" in any case, or is like "x*y", or )"
            R"(is an address in 10.0.0.0/8, or is at least 1 and below 5, or is null)"},
        WhyCase{"TheNearestAlternative", R"({"$or":[{"a":[1],"b":[2]},{"c":[3]}],"d":[4]})",
                R"({"a":1,"b":0,"d":4})", "b",
                "it is 0, which does not fit; wanted: is the number 2"},
        WhyCase{
            "DifferentElements", R"({"e":{"x":[1],"y":[2]}})", R"({"e":[{"x":1},{"y":2}]})", "e.y",
            "no element of an array fits both this and the fields before it; wanted here: is the "
            "number 2"}),
    [](const auto& row) { return row.param.name; });

std::uint64_t work_of(const Routes& routes, const Event& event) {
  routes.wanting(event);
  return Matcher::last_work();
}

/// A thousand values of x, of which twelve rules have "hot", and twelve of y: by what the rules
/// say, x is the rarer one, and they lie under it. All events are hot, and none has one of those y.
TEST(Routes, LearnFromTheEventsThatTheSetBeforeThemSaw) {
  std::vector<RouteRule> rules;
  for (int i = 0; i < 1000; ++i) {
    const std::string x = i < 12 ? "hot" : fmt::format("x{}", i);
    rules.push_back(
        {fmt::format("r{}", i),
         {},
         Pattern::parse(fmt::format(R"({{"detail":{{"key_fields":{{"x":["{}"],"y":["y{}"]}}}}}})",
                                    x, i % 12))});
  }
  Event event = an_event();
  event.key_fields = {{"x", "hot"}, {"y", "none"}};
  const Routes first(rules);
  const std::uint64_t unknowing = work_of(first, event);
  for (int i = 0; i < 10'000; ++i) first.wanting(event);
  const Routes next(rules, &first);
  EXPECT_LT(work_of(next, event) * 3, unknowing);
  EXPECT_THAT(next.wanting(event), IsEmpty());
  event.key_fields = {{"x", "hot"}, {"y", "y3"}};
  EXPECT_THAT(next.wanting(event), ElementsAre(3));
}

}  // namespace
}  // namespace headrace
