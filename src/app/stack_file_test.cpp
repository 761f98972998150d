#include "app/stack_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/examples.h"

namespace headrace {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kGood = R"(version: 1
name: lake
stores: { lake: { kind: file, path: ./buckets } }
sources:
  in: { kind: watch, store: lake, bucket: raw, key: "{type}/{name}.json" }
tables:
  "events_{type}": { store: lake, location: "tables/{type}" }
routes:
  load: { from: in, steps: [ { table: "events_{type}" } ] }
)";

std::string with(std::string what, const std::string& instead) {
  std::string text = kGood;
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), instead);
}

std::string said_of(const std::string& text) {
  return load_stack_text("headrace.yaml", text, "/nowhere").diagnostics;
}

TEST(StackFile, AGoodOneHasNothingSaidOfIt) {
  const LoadedStack loaded = load_stack_text("headrace.yaml", kGood, "/nowhere");
  EXPECT_EQ(loaded.diagnostics, "");
  ASSERT_TRUE(loaded.stack);
  EXPECT_EQ(loaded.stack->state, "/nowhere/state");
  EXPECT_EQ(loaded.stack->tables.at("events_{type}")->name, "events_{type}");
}

TEST(StackFile, EveryStackThatInitWritesIsGood) {
  for (const ExampleStack& example : example_stacks()) {
    const LoadedStack loaded =
        load_stack_text("headrace.yaml", std::string(example.text), "/nowhere");
    EXPECT_EQ(loaded.diagnostics, "") << example.name;
    EXPECT_TRUE(loaded.stack) << example.name;
  }
}

struct Fault {
  const char* name;
  const char* what;
  const char* instead;
  const char* said;
};

class StackFaultTest : public testing::TestWithParam<Fault> {};

TEST_P(StackFaultTest, IsToldAtItsPlace) {
  const std::string said = said_of(with(GetParam().what, GetParam().instead));
  EXPECT_THAT(said, HasSubstr(GetParam().said));
  EXPECT_THAT(said, HasSubstr("/nowhere/headrace.yaml:"));
}

INSTANTIATE_TEST_SUITE_P(
    Faults, StackFaultTest,
    testing::Values(
        Fault{"NoSuchSource", "from: in", "from: im",
              "error: no source is named `im`; did you mean `in`?"},
        Fault{"NoSuchSourceAmongSome", "from: in", "from: [in, im]",
              "error: no source is named `im`; did you mean `in`?"},
        Fault{"NoSource", "from: in", "from: []", "text is needed here, not an empty list"},
        Fault{"ASourceTwice", "from: in", "from: [in, in]", "the source `in` is named twice"},
        Fault{"NoSuchStore", "store: lake, bucket", "store: lkae, bucket",
              "error: no store is named `lkae`"},
        Fault{"NoSuchTable", "table: \"events_{type}\" } ]", "table: events } ]",
              "error: no table is named `events`"},
        Fault{"ATableInTheMiddle", "steps: [ {", "steps: [ { table: \"events_{type}\" }, {",
              "must be the last step"},
        Fault{"AFieldTheKeysAlmostHave", "{type}/{name}.json", "{tpye}/{name}.json",
              "warning: `type` in the table's name is taken from the rows, since the "
              "source's keys have no such field; did you mean `tpye`?"},
        Fault{"AMemberThatNoNameCanHold", "location: \"tables/{type}\" }",
              "location: \"tables/{type}\", only: [a/b] }", "field `type` cannot be `a/b`"},
        Fault{"AFileOfValuesThatIsNotThere", "location: \"tables/{type}\" }",
              "location: \"tables/{type}\", only_file: none.txt }", "open /nowhere"},
        Fault{"RowsThatAreNoPattern", "{ table: \"events_{type}\" } ]",
              "{ table: { into: \"events_{type}\", rows: { a: [] } } } ]", "error:"},
        Fault{"ATestThatCountsRowsNowhere", "routes:\n",
              "tests: [ { route: load, given: { object: /, key: k }, expect: { rows: 1 "
              "} } ]\nroutes:\n",
              "`rows` needs `table` or `under`"},
        Fault{"ARepartitionInTheMiddle", "steps: [ {",
              "steps: [ { repartition: { to: \"a/{uuid}\" } }, {", "must be the last step"},
        Fault{"ATargetInNoStore", "steps: [ {",
              "steps: [ { copy: { to: \"lkae://b/{key...}\" } }, {", "no store is named `lkae`"},
        Fault{"SqlThatDoesNotParse", "steps: [ {",
              "steps: [ { sql: { query: \"selec 1\", to: a.csv } }, {",
              "syntax error at or near \"selec\""},
        Fault{"FieldsOfNameAndLocationDiffer", "tables/{type}", "tables/{kind}",
              "must have the same fields"},
        Fault{"ALocationThatIsABucket", "\"tables/{type}\"", "\"{type}\"",
              "expected bucket/prefix"},
        Fault{"APatternThatIsNone", "from: in,", "from: in, match: { pattern: { a: [] } },",
              "error:"},
        Fault{"ARouteNamedAsAnothersGroup",
              "routes:\n  load:", "routes:\n  lo/ad:", "error: the route's name `lo/ad` has a `/`"},
        Fault{"NoSteps", "steps: [ { table: \"events_{type}\" } ]", "steps: []",
              "needs at least one step"},
        Fault{"ATableWhereTheSourceLooks", "tables/{type}", "raw/{type}",
              "warning: the table lies where the source `in` looks"}),
    [](const auto& row) { return row.param.name; });

/// Two tables, and whether there is room for both.
struct Places {
  const char* name;
  const char* one;
  const char* other;
  bool apart;
};

class TablePlacesTest : public testing::TestWithParam<Places> {};

TEST_P(TablePlacesTest, AreTheirOwn) {
  const auto entry = [](char name, std::string location) {
    const std::string field = location.contains("{t}") ? "_{t}" : "";
    return fmt::format("  \"{}{}\": {{ store: lake, location: \"{}\" }}\n", name, field, location);
  };
  const std::string said = said_of(
      with("  \"events_{type}\"",
           entry('a', GetParam().one) + entry('b', GetParam().other) + "  \"events_{type}\""));
  const bool apart = said.find("lie in one place, or one within the other") == std::string::npos;
  EXPECT_EQ(apart, GetParam().apart) << said;
}

INSTANTIATE_TEST_SUITE_P(Pairs, TablePlacesTest,
                         testing::Values(Places{"Same", "l/a", "l/a/", false},
                                         Places{"Within", "l/a", "l/a/b", false},
                                         Places{"Around", "l/a/b", "l/a", false},
                                         Places{"Beside", "l/a", "l/ab", true},
                                         Places{"OtherBucket", "l/a", "m/a", true},
                                         Places{"AMember", "l/{t}", "l/a", false},
                                         Places{"WithinAMember", "l/{t}", "l/a/b", false},
                                         Places{"AroundAFamily", "l/a", "l/a/{t}", false},
                                         Places{"BesideAFamily", "l/a/{t}", "l/b", true},
                                         Places{"TwoFamilies", "l/a/{t}", "l/b/{t}", true},
                                         Places{"OneFamilyTwice", "l/a/{t}", "l/a/{t}", false},
                                         Places{"AFamilyWithinAMember", "l/{t}", "l/a/{t}", false}),
                         [](const auto& row) { return row.param.name; });

constexpr const char* kFollows = "{ into: \"events_{type}\", on_delete: remove }";

std::string following(const std::string& match) {
  return with("from: in, steps: [ { table: \"events_{type}\" } ]",
              "from: in, " + match + "steps: [ { table: " + kFollows + " } ]");
}

TEST(StackFile, ATableThatFollowsObjectsHearsOfDeletions) {
  for (const char* match : {"", "match: {}, ", "match: { key: { suffix: .json } }, "}) {
    const LoadedStack loaded = load_stack_text("headrace.yaml", following(match), "/nowhere");
    EXPECT_EQ(loaded.diagnostics, "");
    ASSERT_TRUE(loaded.stack);
    EXPECT_THAT(loaded.stack->routes.at("load")->match.text, HasSubstr("Object Deleted")) << match;
  }
  const LoadedStack plain = load_stack_text("headrace.yaml", kGood, "/nowhere");
  EXPECT_THAT(plain.stack->routes.at("load")->match.text,
              testing::Not(HasSubstr("Object Deleted")));
}

TEST(StackFile, WhatWouldHideDeletionsIsAnError) {
  EXPECT_THAT(said_of(following("match: { type: Object Created }, ")),
              HasSubstr("needs the events of deletions"));
  EXPECT_THAT(said_of(following("match: { size: { \">\": 0 } }, ")),
              HasSubstr("`size` would hide an object"));
  std::string steps = following("");
  steps.insert(steps.find("{ table: {"), "{ tag: { seen: \"1\" } }, ");
  EXPECT_THAT(said_of(steps), HasSubstr("must be in a route of its own"));
}

/// kGood with a second source, and what follows it.
std::string with_sweep(const std::string& sweep, const std::string& instead) {
  const std::string source = "  sweep: { kind: listing, store: lake, " + sweep + " }\n";
  return with("tables:\n", source + "tables:\n")
      .replace(std::string(kGood).find("routes:") + source.size(), std::string::npos,
               "routes:\n" + instead);
}

TEST(StackFile, ARouteTakesSeveralSources) {
  const std::string one_route =
      "  load: { from: [in, sweep], steps: [ { table: \"events_{type}\" } ] }\n";
  const LoadedStack loaded = load_stack_text(
      "headrace.yaml", with_sweep("bucket: raw, key: \"{type}/{name}.json\"", one_route),
      "/nowhere");
  EXPECT_EQ(loaded.diagnostics, "");
  ASSERT_TRUE(loaded.stack);
  std::vector<std::string> from;
  for (const auto& name : loaded.stack->routes.at("load")->from) from.push_back(*name);
  EXPECT_THAT(from, testing::ElementsAre("in", "sweep"));
  EXPECT_THAT(said_of(with_sweep("bucket: raw", one_route)),
              HasSubstr("the keys of one source give the fields of the table's name"));
}

TEST(StackFile, TwoRoutesThatWouldLoadAnObjectTwiceAreWarnedOf) {
  const auto two_routes = [](const char* match) {
    return fmt::format(
        "  load: {{ from: in, steps: [ {{ table: \"events_{{type}}\" }} ] }}\n"
        "  swept: {{ from: sweep, {}steps: [ {{ table: \"events_{{type}}\" }} ] }}\n",
        match);
  };
  const std::string said =
      "warning: the routes `load` and `swept` would both load an object of "
      "which the sources of both tell: one route `from: [in, sweep]`";
  EXPECT_THAT(said_of(with_sweep("bucket: raw", two_routes(""))), HasSubstr(said));
  EXPECT_EQ(said_of(with_sweep("bucket: other", two_routes(""))), "");
  EXPECT_EQ(said_of(with_sweep("bucket: raw", two_routes("match: { key: { suffix: x } }, "))), "");
}

TEST(StackFile, AFamilyThatRowsNameCannotFollowObjects) {
  for (const char* choice : {"on_overwrite: replace", "on_delete: remove", "provenance: object"}) {
    std::string text = with("table: \"events_{type}\"",
                            "table: { into: \"events_{type}\", " + std::string(choice) + " }");
    EXPECT_EQ(said_of(text), "");
    text.replace(text.find("{type}/{name}.json"), 6, "{kind}");
    EXPECT_THAT(said_of(text),
                HasSubstr("error: a family whose tables are named by its rows can't tell where "
                          "these come from: let the source's `key` give the fields"))
        << choice;
  }
}

/// Two routes into one table: how each loads it, and whether both may.
struct Loads {
  const char* name;
  const char* one;
  const char* other;
  bool both;
};

class TwoRoutesTest : public testing::TestWithParam<Loads> {};

TEST_P(TwoRoutesTest, FollowObjectsIntoATableOnlyIfTheseAreNotTheSame) {
  const auto route = [](const char* name, std::string_view says) {
    // "match | table's options"
    const std::size_t bar = says.find('|');
    return fmt::format(
        "  {}: {{ from: {}, match: {{ {} }}, steps: [ {{ table: {{ into: "
        "\"events_{{type}}\"{} }} }} ] }}\n",
        name, name, says.substr(0, bar), says.substr(bar + 1));
  };
  std::string text = with("sources:\n  in:",
                          "sources:\n"
                          "  a: { kind: watch, store: lake, bucket: raw, prefix: x/, key: "
                          "\"x/{type}/{name}.json\" }\n"
                          "  b:");
  text = text.substr(0, text.find("routes:")) + "routes:\n" + route("a", GetParam().one) +
         route("b", GetParam().other);
  const std::string said = said_of(text);
  if (GetParam().both) {
    EXPECT_THAT(said, testing::Not(HasSubstr("error:")));
  } else {
    EXPECT_THAT(said, HasSubstr("error: the routes `a` and `b` load the table `events_{type}` from "
                                "objects that may be the same"));
    EXPECT_THAT(said, HasSubstr("let one route load them"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Pairs, TwoRoutesTest,
    testing::Values(
        Loads{"BothReplace", "|, on_overwrite: replace", "|, on_overwrite: replace", false},
        Loads{"OneReplacesOneRemoves", "|, on_overwrite: replace", "|, on_delete: remove", false},
        Loads{"OneReplacesWhatTheOtherNames", "|, provenance: object", "|, on_overwrite: replace",
              false},
        Loads{"TheOtherNamesNoObjects", "|", "|, on_overwrite: replace", true},
        Loads{"NoneRemoves", "|, provenance: line", "|, provenance: object", true},
        Loads{"OtherEnds", "key: { suffix: .json }|, on_overwrite: replace",
              "key: { suffix: .csv }|, on_overwrite: replace", true},
        Loads{"OtherBeginnings", "key: { prefix: x/a/ }|, on_overwrite: replace",
              "key: { glob: \"x/b/*.json\" }|, on_overwrite: replace", true},
        Loads{"OneWithinTheOther", "key: { prefix: x/a/ }|, on_overwrite: replace",
              "key: { glob: \"x/*.json\" }|, on_overwrite: replace", false},
        Loads{"OneObjectOfTheOthers", "key: x/a/b.json|, on_overwrite: replace",
              "key: { suffix: .json }|, on_overwrite: replace", false},
        Loads{"OneObjectBesideTheOthers", "key: x/a/b.json|, on_overwrite: replace",
              "key: [{ suffix: .csv }, { prefix: x/a/b.jsonl }]|, on_overwrite: replace", true},
        Loads{"OtherFields", "key_fields: { type: a }|, on_overwrite: replace",
              "key_fields: { type: [b, c] }|, on_overwrite: replace", true},
        Loads{"OtherTypesOfEvents", "type: Object Created|, on_overwrite: replace",
              "type: Object Deleted|, on_delete: remove", false},
        Loads{"ByPatterns",
              "pattern: { detail: { object: { key: [{ prefix: x/a }] } } }|, on_overwrite: replace",
              "pattern: { detail.object.key: [{ prefix: x/b }] }|, on_overwrite: replace", true}),
    [](const auto& row) { return row.param.name; });

TEST(StackFile, RoutesThatFeedEachOtherAreWarnedOf) {
  const std::string routes = R"(routes:
  a: { from: in, steps: [ { copy: { to: "x/{filename}", bucket: other } } ] }
  b: { from: back, steps: [ { move: { to: "y/{filename}", bucket: raw } } ] }
)";
  std::string text = with("sources:\n",
                          "sources:\n  back: { kind: watch, store: lake, bucket: "
                          "other }\n");
  text = text.substr(0, text.find("routes:")) + routes;
  EXPECT_THAT(said_of(text), HasSubstr("warning: routes may feed each other without end: a -> b "
                                       "-> a"));
}

TEST(StackFile, TheSchemaAndTheReferenceComeFromTheSameSpecs) {
  for (const std::string& text : {stack_schema(), stack_reference()}) {
    for (const char* key : {"partition_by", "unless", "dedupe_window", "concurrency", "backoff"}) {
      EXPECT_THAT(text, HasSubstr(key));
    }
  }
}

}  // namespace
}  // namespace headrace
