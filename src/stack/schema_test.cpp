#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/document.h"
#include "stack/one_or_more.h"
#include "stack/sample_stack.h"

namespace headrace::stack {
namespace {

struct Point {
  int x = 0;
  std::string label = "here";
};

Spec<Point> point_spec() {
  return Spec<Point>("small point", "A place.")
      .field("x", &Point::x, "How far.", required(), at_least(-5), example("3"))
      .field("label", &Point::label, "What a|b it says.", secret());
}

TEST(Schema, IsOneDocumentWithDefinitions) {
  EXPECT_EQ(json_schema(point_spec()),
            R"({"$schema":"http://json-schema.org/draft-07/schema#","title":"small point",)"
            R"("definitions":{"small_point":{"type":"object","description":"A place.",)"
            R"("additionalProperties":false,"properties":{)"
            R"("x":{"description":"How far.","examples":[3],"allOf":[{"anyOf":[)"
            R"({"type":"integer","minimum":-5},)"
            R"({"type":"string","pattern":"^(-?[0-9]+)$|\\$\\{(env|file|cred):"}]}]},)"
            R"("label":{"description":"What a|b it says.",)"
            R"("allOf":[{"type":["string","number","boolean"]}]}},"required":["x"]}},)"
            R"("allOf":[{"$ref":"#/definitions/small_point"}]})");
}

TEST(Schema, RefusesTwoSpecsOfOneName) {
  struct Pair {
    Point a;
    Point b;
  };
  const auto spec = Spec<Pair>("pair", "Two.")
                        .field("a", &Pair::a, "One.", point_spec())
                        .field("b", &Pair::b, "Other.", point_spec());
  EXPECT_THROW(json_schema(spec), Error);
}

TEST(Spec, RefusesAnExampleThatDoesNotRead) {
  EXPECT_THROW(Spec<Point>("p", "P.").field("x", &Point::x, "How far.", example("far")), Error);
  EXPECT_THROW(Spec<Point>("p", "P.").field("x", &Point::x, "How far.", example("[")), Error);
}

struct Base {
  std::string from;
};
struct Derived : Base {
  std::vector<std::optional<Positioned<double>>> numbers;
  std::map<std::string, std::vector<bool>, std::less<>> flags;
};

TEST(Spec, TakesInheritedAndNestedMembers) {
  const auto spec = Spec<Derived>("derived", "D.")
                        .field("from", &Derived::from, "F.")
                        .field("numbers", &Derived::numbers, "N.", at_most(10))
                        .field("flags", &Derived::flags, "G.");
  Document document("h", "from: a\nnumbers: [1, 2.5]\nflags: { x: [true, false] }\n",
                    sample::FakeEnvironment());
  const auto value = document.read(spec);
  ASSERT_TRUE(value) << document.diagnostics().text();
  EXPECT_EQ(value->from, "a");
  ASSERT_EQ(value->numbers.size(), 2);
  EXPECT_EQ(value->numbers[1]->value, 2.5);
  EXPECT_EQ(value->numbers[1]->where, (Where{2, 14}));
  EXPECT_THAT(value->flags.at("x"), testing::ElementsAre(true, false));

  Document wrong("h", "numbers: [11]\n", sample::FakeEnvironment());
  EXPECT_FALSE(wrong.read(spec));
  EXPECT_THAT(wrong.diagnostics().text(), testing::HasSubstr("`11` is too large; the most is 10"));
}

TEST(Spec, TakesAListOrItsOnlyElement) {
  struct Owner {
    OneOrMore<Positioned<int>> from;
  };
  const auto spec =
      Spec<Owner>("owner", "O.").field("from", &Owner::from, "F.", required(), at_most(9));
  const auto numbers = [&](std::string text) {
    Document document("h", std::move(text), sample::FakeEnvironment());
    const auto value = document.read(spec);
    std::string said = document.diagnostics().text();
    if (value) {
      for (const auto& one : value->from) said += fmt::format("{}@{} ", *one, one.where.column);
      said += document.show(spec);
    }
    return said;
  };
  EXPECT_EQ(numbers("from: 1\n"), "1@7 from: 1\n");
  EXPECT_EQ(numbers("from: [1, 2]\n"), "1@8 2@11 from:\n  - 1\n  - 2\n");
  EXPECT_THAT(numbers("from: []\n"), testing::HasSubstr("is needed here, not an empty list"));
  EXPECT_THAT(numbers("from: { a: 1 }\n"), testing::HasSubstr("not a map"));
  EXPECT_THAT(numbers("from: [10]\n"), testing::HasSubstr("`10` is too large"));
  EXPECT_THAT(json_schema(spec), testing::HasSubstr(R"("minItems":1,"items":)"));
  EXPECT_THAT(
      reference_markdown(spec),
      testing::HasSubstr("| whole number, at most 9, or a list of whole number, at most 9 |"));
}

TEST(Spec, ReadsScalarsOfTheRoomsOwn) {
  struct Share {
    int percent = 100;
  };
  const text_as<int> percent(
      "percentage",
      [](const std::string& text) {
        if (text != "10%") throw Error(ErrorKind::kInvalid, "only 10% today, not " + text);
        return 10;
      },
      [](int value) { return fmt::format("{}%", value); });
  const auto spec = Spec<Share>("share", "S.").field("percent", &Share::percent, "P.", percent);
  Document good("h", "percent: 10%\n", sample::FakeEnvironment());
  EXPECT_EQ(good.read(spec)->percent, 10);
  EXPECT_EQ(good.show(spec), "percent: \"10%\"\n");
  Document bad("h", "percent: 11%\n", sample::FakeEnvironment());
  EXPECT_FALSE(bad.read(spec));
  EXPECT_EQ(bad.diagnostics().list()[0].message, "only 10% today, not 11%");
}

TEST(Reference, ListsEveryKeyOnce) {
  EXPECT_EQ(reference_markdown(point_spec()),
            "# small point\n"
            "\n"
            "A place.\n"
            "\n"
            "| key | type | default | meaning |\n"
            "| --- | --- | --- | --- |\n"
            "| `x` | whole number, at least -5 | required | How far. Example: `3` |\n"
            "| `label` | text |  | What a\\|b it says. |\n");
}

constexpr std::string_view kReference = R"(# example stack

A language for tests.

| key | type | default | meaning |
| --- | --- | --- | --- |
| `version` | whole number, 1 to 1 | required | Version of the language. |
| `name` | text | required | Name of the stack. |
| `state` | path | `./state` | Folder for what is kept. |
| `ledger` | [store](#store) | `{"kind":"file","path":"ledger"}` | Where work is kept. |
| `stores` | map of [store](#store) | `{}` | Stores by name. |
| `tables` | map of [table](#table) | `{}` | Tables by name. |
| `routes` | map of [route](#route) | `{}` | Routes by name. |

## store

Where objects are.

### `kind: file`

A folder; its first-level folders are buckets.

| key | type | default | meaning |
| --- | --- | --- | --- |
| `path` | path | required | Folder, relative to the stack file. Example: `./buckets` |

### `kind: web`

Objects behind HTTP.

| key | type | default | meaning |
| --- | --- | --- | --- |
| `endpoint` | text | required | Where it listens. |
| `token` | text |  | What it wants to see. |
| `port` | whole number, 1 to 65535 | `443` | TCP port. |
| `verify` | true or false | `true` | Whether its certificate must hold. |

## table

A Delta table.

| key | type | default | meaning |
| --- | --- | --- | --- |
| `store` | text | required | Where its files are. |
| `partition_by` | list of text | `[]` | Columns as folders. Example: `["country","date"]` |
| `schema` | `evolve`, `fixed` | `evolve` | What happens to new columns. |
| `bytes` | size, at least 1KiB | `128MiB` | When to commit. |

## route

What happens to which objects.

| key | type | default | meaning |
| --- | --- | --- | --- |
| `key` | key template |  | How keys are read. Example: `dataset/{name}.json` |
| `match` | any value |  | An event pattern. |
| `after` | duration |  | How long to wait. Example: `5m` |
| `rate` | rate |  | How fast at most. Example: `200/s` |
| `steps` | list of [step](#step) | required | What to do, in order. |
| `retry` | [retry](#retry) | `{"attempts":5,"backoff":{"base":"1s","cap":"5m"}}` | Tries. |

## step

What a task does.

| key | value | meaning |
| --- | --- | --- |
| `edit` | [edit](#edit) | Changes fields of every line. |
| `table` | [load](#load) | Adds the object's rows to a table. |
| `tag` | map of text | Sets tags. |

## edit

Changes fields of every line.

| key | type | default | meaning |
| --- | --- | --- | --- |
| `set` | map of text | required | Field to new value. |

## load

Adds the object's rows to a table.

A value that is no map is its `table`.

| key | type | default | meaning |
| --- | --- | --- | --- |
| `table` | text | required | Name of the table. Example: `people` |
| `sample` | number, 0 to 1 |  | Share of the rows. |

## retry

What happens after a failure.

| key | type | default | meaning |
| --- | --- | --- | --- |
| `attempts` | whole number, at least 1 | `5` | Tries in all. |
| `backoff` | [backoff](#backoff) | `{"base":"1s","cap":"5m"}` | The pauses. |

## backoff

How long to wait between tries.

| key | type | default | meaning |
| --- | --- | --- | --- |
| `base` | duration, at least 1ms | `1s` | Longest first pause. |
| `cap` | duration | `5m` | Longest pause of all. |
)";

TEST(Reference, GivesEachPartAHeading) {
  EXPECT_EQ(reference_markdown(sample::stack_spec()), kReference);
}

}  // namespace
}  // namespace headrace::stack
