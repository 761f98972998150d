#include "stack/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/sample_stack.h"

namespace headrace::stack {
namespace {

using sample::FakeEnvironment;
using testing::ElementsAre;
using testing::Optional;

FakeEnvironment environment() {
  FakeEnvironment outside;
  outside.variables = {{"CREDENTIALS_DIRECTORY", "/run/credentials"},
                       {"PORT", "8443"},
                       {"WORD", "many"},
                       {"EMPTY", ""}};
  outside.files = {{"/run/credentials/token", "s3cret\n"}, {"stacks/secret.txt", "hush"}};
  return outside;
}

constexpr std::string_view kWhole = R"(version: 1
name: people
state: ../state
stores:
  lake: { kind: file, path: ./buckets }
  web:
    kind: web
    endpoint: https://127.0.0.1
    token: ${cred:token}
    port: ${env:PORT}
    verify: false
tables:
  people: { store: lake, partition_by: [country, date], schema: fixed, bytes: 64KiB }
routes:
  blank-contents:
    key: "dataset/{name}.json"
    match: { key: [ { suffix: .json } ], size: [ { numeric: [ ">", 0 ] } ], note: "0" }
    after: 5m
    rate: 200/s
    steps:
      - edit: { set: { file_contents: no } }
      - tag: { processed: "true", round: 2 }
      - table: people
    retry: { attempts: 3, backoff: { base: 1500ms } }
)";

TEST(Document, ReadsEveryKindOfValue) {
  Document document("stacks/headrace.yaml", std::string(kWhole), environment());
  const auto stack = document.read(sample::stack_spec());
  ASSERT_TRUE(stack) << document.diagnostics().text();
  EXPECT_EQ(stack->name, "people");
  EXPECT_EQ(stack->state, "state");
  EXPECT_EQ(std::get<sample::FileStore>(*stack->ledger).path, "stacks/ledger");
  EXPECT_EQ(std::get<sample::FileStore>(*stack->stores.at("lake")).path, "stacks/buckets");
  EXPECT_EQ(stack->stores.at("lake").where, (Where{5, 3}));

  const auto& web = std::get<sample::WebStore>(*stack->stores.at("web"));
  EXPECT_EQ(web.endpoint, "https://127.0.0.1");
  EXPECT_EQ(web.token, "s3cret");
  EXPECT_EQ(web.port, 8443);
  EXPECT_FALSE(web.verify);

  const auto& table = stack->tables.at("people");
  EXPECT_EQ(table.store.where, (Where{13, 20}));
  EXPECT_THAT(table.partition_by, ElementsAre("country", "date"));
  EXPECT_EQ(table.schema, sample::Evolution::kFixed);
  EXPECT_EQ(table.bytes, 65536);

  const sample::Route& route = *stack->routes.at("blank-contents");
  EXPECT_EQ(route.key->text(), "dataset/{name}.json");
  EXPECT_EQ(route.match->text,
            R"({"key":[{"suffix":".json"}],"size":[{"numeric":[">",0]}],"note":"0"})");
  EXPECT_EQ(route.match->where, (Where{17, 12}));
  EXPECT_EQ(route.after, std::chrono::minutes(5));
  EXPECT_THAT(route.rate, Optional(Rate{200, std::chrono::seconds(1)}));
  EXPECT_EQ(route.retry.attempts, 3);
  EXPECT_EQ(route.retry.backoff.base, std::chrono::milliseconds(1500));
  EXPECT_EQ(route.retry.backoff.cap, std::chrono::minutes(5));
  ASSERT_EQ(route.steps.size(), 3);
  EXPECT_EQ(route.steps[0]->words, "edit file_contents");
  EXPECT_EQ(route.steps[1]->words, "tag 2");
  EXPECT_EQ(route.steps[2]->words, "load people");
  EXPECT_EQ(route.steps[2].where, (Where{23, 9}));
}

TEST(Document, PlacesDefaultPathsInTheFilesFolder) {
  Document document("stacks/headrace.yaml", "version: 1\nname: x\n", environment());
  const auto stack = document.read(sample::stack_spec());
  ASSERT_TRUE(stack);
  EXPECT_EQ(stack->state, "stacks/state");
  EXPECT_EQ(std::get<sample::FileStore>(*stack->ledger).path, "stacks/ledger");
  EXPECT_EQ(stack->ledger.where, Where());
}

TEST(Document, TakesJsonAndAByteOrderMark) {
  Document document("headrace.json", "\xEF\xBB\xBF{\"version\":1,\"name\":\"x\\u00e9\"}",
                    environment());
  const auto stack = document.read(sample::stack_spec());
  ASSERT_TRUE(stack) << document.diagnostics().text();
  EXPECT_EQ(stack->name, "x\xC3\xA9");
}

TEST(Document, ShowsDefaultsAndHidesSecrets) {
  Document document("stacks/headrace.yaml", std::string(kWhole), environment());
  ASSERT_TRUE(document.read(sample::stack_spec()));
  EXPECT_EQ(document.show(sample::stack_spec()), R"(version: 1
name: people
state: "../state"
ledger:
  kind: file
  path: ledger
stores:
  lake:
    kind: file
    path: ./buckets
  web:
    kind: web
    endpoint: "https://127.0.0.1"
    token: "***"
    port: 8443
    verify: false
tables:
  people:
    store: lake
    partition_by:
      - country
      - date
    schema: fixed
    bytes: 64KiB
routes:
  blank-contents:
    key: "dataset/{name}.json"
    match:
      key:
        -
          suffix: .json
      size:
        -
          numeric:
            - ">"
            - 0
      note: "0"
    after: 5m
    rate: 200/s
    steps:
      -
        edit:
          set:
            file_contents: "no"
      -
        tag:
          processed: "true"
          round: "2"
      -
        table:
          table: people
    retry:
      attempts: 3
      backoff:
        base: 1500ms
        cap: 5m
)");
}

TEST(Document, ShowsNoSecretThatIsNotThere) {
  Document document("h.yaml", "version: 1\nname: x\nstores: { w: { kind: web, endpoint: e } }\n",
                    environment());
  ASSERT_TRUE(document.read(sample::stack_spec()));
  EXPECT_THAT(document.show(sample::stack_spec()),
              testing::HasSubstr("endpoint: e\n    port: 443"));
}

TEST(Document, ReadsBackWhatItShows) {
  Document first("stacks/headrace.yaml", std::string(kWhole), environment());
  ASSERT_TRUE(first.read(sample::stack_spec()));
  const std::string shown = first.show(sample::stack_spec());
  Document second("stacks/headrace.yaml", shown, environment());
  ASSERT_TRUE(second.read(sample::stack_spec())) << second.diagnostics().text();
  EXPECT_EQ(second.show(sample::stack_spec()), shown);
}

TEST(Document, HidesWhatCameFromAFileWhereverItEndsUp) {
  Document document("stacks/headrace.yaml", R"(version: 1
name: "x-${file:secret.txt}"
routes:
  r:
    match: { key: "${file:secret.txt}", other: 1 }
    steps: [ { tag: { "${a}": "${file:secret.txt}" } } ]
)",
                    environment());
  const auto stack = document.read(sample::stack_spec());
  ASSERT_TRUE(stack) << document.diagnostics().text();
  EXPECT_EQ(stack->name, "x-hush");
  const std::string shown = document.show(sample::stack_spec());
  EXPECT_THAT(shown, testing::Not(testing::HasSubstr("hush")));
  EXPECT_THAT(shown, testing::HasSubstr("name: \"***\"\n"));
  EXPECT_THAT(shown, testing::HasSubstr("key: \"***\"\n      other: 1\n"));
  EXPECT_THAT(shown, testing::HasSubstr("\"${a}\": \"***\"\n"));
}

/// Each row is a wrong file and all that is said about it.
struct WrongFile {
  const char* name;
  std::string_view text;
  std::string_view complaints;
};

void PrintTo(const WrongFile& row, std::ostream* out) { *out << row.name; }

class WrongFileTest : public testing::TestWithParam<WrongFile> {};

TEST_P(WrongFileTest, IsToldWithItsPlace) {
  Document document("h.yaml", std::string(GetParam().text), environment());
  EXPECT_FALSE(document.read(sample::stack_spec()));
  EXPECT_EQ(document.diagnostics().text(), GetParam().complaints);
}

INSTANTIATE_TEST_SUITE_P(
    Values, WrongFileTest,
    testing::Values(
        WrongFile{"EmptyMap", "{}",
                  "h.yaml:1:1: error: `version` is missing: Version of the language.\n"
                  "{}\n"
                  "^\n"
                  "h.yaml:1:1: error: `name` is missing: Name of the stack.\n"
                  "{}\n"
                  "^\n"},
        WrongFile{"NoMap", "- a\n",
                  "h.yaml:1:1: error: example stack is needed here as a map, not a list\n"
                  "- a\n"
                  "^\n"},
        WrongFile{"UnknownKeys", "version: 1\nname: x\nstor: {}\nzzz: 1\nRetry: 1\n",
                  "h.yaml:3:1: error: unknown key `stor`; did you mean `stores`?\n"
                  "stor: {}\n"
                  "^\n"
                  "h.yaml:4:1: error: unknown key `zzz`; example stack has `version`, `name`, "
                  "`state`, `ledger`, `stores`, `tables`, `routes`\n"
                  "zzz: 1\n"
                  "^\n"
                  "h.yaml:5:1: error: unknown key `Retry`; example stack has `version`, `name`, "
                  "`state`, `ledger`, `stores`, `tables`, `routes`\n"
                  "Retry: 1\n"
                  "^\n"},
        WrongFile{"WrongScalars",
                  "version: 2\nname: [x]\nstores:\n  w: { kind: web, endpoint: e, port: 0x50, "
                  "verify: no }\n  v: { kind: web, endpoint: e, port: 99999999999 }\n",
                  "h.yaml:1:10: error: `2` is too large; the most is 1\n"
                  "version: 2\n"
                  "         ^\n"
                  "h.yaml:2:7: error: text is needed here, not a list\n"
                  "name: [x]\n"
                  "      ^\n"
                  "h.yaml:4:38: error: `0x50` is no whole number\n"
                  "  w: { kind: web, endpoint: e, port: 0x50, verify: no }\n"
                  "                                     ^\n"
                  "h.yaml:4:52: error: `no` is neither true nor false\n"
                  "  w: { kind: web, endpoint: e, port: 0x50, verify: no }\n"
                  "                                                   ^\n"
                  "h.yaml:5:38: error: `99999999999` is not within -2147483648 to 2147483647\n"
                  "  v: { kind: web, endpoint: e, port: 99999999999 }\n"
                  "                                     ^\n"},
        WrongFile{"Kinds",
                  "version: 1\nname: x\nstores:\n  a: { kind: fiel, path: . }\n  b: { path: . }\n"
                  "  c: file\n  d: { kind: file }\n  e: { kind: [file], path: . }\n",
                  "h.yaml:4:14: error: `fiel` is none of `file`, `web`; did you mean `file`?\n"
                  "  a: { kind: fiel, path: . }\n"
                  "             ^\n"
                  "h.yaml:5:3: error: `kind` is missing: one of `file`, `web`\n"
                  "  b: { path: . }\n"
                  "  ^\n"
                  "h.yaml:6:6: error: store is needed here as a map, not `file`\n"
                  "  c: file\n"
                  "     ^\n"
                  "h.yaml:7:3: error: `path` is missing: Folder, relative to the stack file.\n"
                  "  d: { kind: file }\n"
                  "  ^\n"
                  "h.yaml:8:14: error: a list is none of `file`, `web`\n"
                  "  e: { kind: [file], path: . }\n"
                  "             ^\n"},
        WrongFile{"Steps",
                  "version: 1\nname: x\nroutes:\n  r:\n    steps:\n      - edti: {}\n"
                  "      - edit: { set: {} }\n        tag: {}\n      - {}\n      - tag\n"
                  "      - table: { name: x }\n      - edit: { set: {} }\n      - table: [x]\n",
                  "h.yaml:6:9: error: `edti` is none of `edit`, `table`, `tag`; did you mean "
                  "`edit`?\n"
                  "      - edti: {}\n"
                  "        ^\n"
                  "h.yaml:8:9: error: step has one key, and this one has `edit` already; begin "
                  "another with `-`\n"
                  "        tag: {}\n"
                  "        ^\n"
                  "h.yaml:9:9: error: step is needed here as a map with one key, not an empty map; "
                  "the key is one of `edit`, `table`, `tag`\n"
                  "      - {}\n"
                  "        ^\n"
                  "h.yaml:10:9: error: step is needed here as a map with one key, not `tag`; the "
                  "key is one of `edit`, `table`, `tag`\n"
                  "      - tag\n"
                  "        ^\n"
                  "h.yaml:11:9: error: `table` is missing: Name of the table.\n"
                  "      - table: { name: x }\n"
                  "        ^\n"
                  "h.yaml:11:18: error: unknown key `name`; load has `table`, `sample`\n"
                  "      - table: { name: x }\n"
                  "                 ^\n"
                  "h.yaml:12:9: error: nothing to set\n"
                  "      - edit: { set: {} }\n"
                  "        ^\n"
                  "h.yaml:13:16: error: load is needed here as a map, not a list\n"
                  "      - table: [x]\n"
                  "               ^\n"},
        WrongFile{"Fields",
                  "version: 1\nname: x\ntables:\n  t: { store: a, schema: evlove, bytes: 1 MB }\n"
                  "  u: { store: a, bytes: 1025, partition_by: x }\n  v: { store: a, bytes: 12 }\n"
                  "routes:\n  r: { steps: [], key: \"{a}{b}\", after: 5 min, rate: 1/y }\n"
                  "  q: { steps: , retry: { attempts: 0, backoff: { base: 1us } } }\n",
                  "h.yaml:4:26: error: `evlove` is none of `evolve`, `fixed`; did you mean "
                  "`evolve`?\n"
                  "  t: { store: a, schema: evlove, bytes: 1 MB }\n"
                  "                         ^\n"
                  "h.yaml:4:41: error: `1 MB` is no size; write a whole number of bytes, with a "
                  "unit if you like: 64KiB, 128MiB or 5GB\n"
                  "  t: { store: a, schema: evlove, bytes: 1 MB }\n"
                  "                                        ^\n"
                  "h.yaml:5:25: error: an even number, please\n"
                  "  u: { store: a, bytes: 1025, partition_by: x }\n"
                  "                        ^\n"
                  "h.yaml:5:45: error: a list is needed here, not `x`\n"
                  "  u: { store: a, bytes: 1025, partition_by: x }\n"
                  "                                            ^\n"
                  "h.yaml:6:25: error: `12` is too small; the least is 1KiB\n"
                  "  v: { store: a, bytes: 12 }\n"
                  "                        ^\n"
                  "h.yaml:8:24: error: key template `{a}{b}`, character 4: nothing tells where `a` "
                  "ends and `b` begins; put a literal between them\n"
                  "  r: { steps: [], key: \"{a}{b}\", after: 5 min, rate: 1/y }\n"
                  "                       ^\n"
                  "h.yaml:8:41: error: `5 min` is no duration; write a whole number and a unit: "
                  "1500ms, 30s, 5m, 12h or 14d\n"
                  "  r: { steps: [], key: \"{a}{b}\", after: 5 min, rate: 1/y }\n"
                  "                                        ^\n"
                  "h.yaml:8:54: error: `1/y` is no rate; write a whole number per s, m, h or d: "
                  "200/s\n"
                  "  r: { steps: [], key: \"{a}{b}\", after: 5 min, rate: 1/y }\n"
                  "                                                     ^\n"
                  "h.yaml:9:15: error: a list is needed here, not nothing\n"
                  "  q: { steps: , retry: { attempts: 0, backoff: { base: 1us } } }\n"
                  "              ^\n"
                  "h.yaml:9:36: error: `0` is too small; the least is 1\n"
                  "  q: { steps: , retry: { attempts: 0, backoff: { base: 1us } } }\n"
                  "                                   ^\n"
                  "h.yaml:9:56: error: `1us` is too small; the least is 1ms\n"
                  "  q: { steps: , retry: { attempts: 0, backoff: { base: 1us } } }\n"
                  "                                                       ^\n"},
        WrongFile{"TheWholeIsChecked",
                  "version: 1\nname: x\nstores:\n  w: { kind: web, endpoint: e, port: 80 }\n",
                  "h.yaml:4:3: error: port 80 has no certificate\n"
                  "  w: { kind: web, endpoint: e, port: 80 }\n"
                  "  ^\n"},
        WrongFile{"SecretsAreNotPrinted",
                  "version: 1\nname: x\nstores:\n"
                  "  w: { kind: web, endpoint: e, token: letmein, port: letmein2 }\n"
                  "  v: { kind: web, endpoint: e, token: [letmein, \"a\\tb\"], port: x }\n"
                  "  u: { kind: \"${cred:token}\", endpoint: e, port: \"${cred:token}\" }\n"
                  "  t: { kind: web, endpoint: e, port: \"${cred:token}\" }\n",
                  "h.yaml:4:54: error: `letmein2` is no whole number\n"
                  "  w: { kind: web, endpoint: e, token: *******, port: *******2 }\n"
                  "                                                     ^\n"
                  "h.yaml:5:39: error: text is needed here, not a list\n"
                  "  v: { kind: web, endpoint: e, token: [*******, ******************\n"
                  "                                      ^\n"
                  "h.yaml:5:64: error: `x` is no whole number\n"
                  "  v: { kind: web, endpoint: e, token: [*******, ******************\n"
                  "                                                               ^\n"
                  "h.yaml:6:14: error: `***` is none of `file`, `web`\n"
                  "  u: { kind: \"${cred:token}\", endpoint: e, port: \"${cred:token}\" }\n"
                  "             ^\n"
                  "h.yaml:7:38: error: `***` is no whole number\n"
                  "  t: { kind: web, endpoint: e, port: \"${cred:token}\" }\n"
                  "                                     ^\n"},
        WrongFile{"VariablesFailOnce",
                  "version: ${env:NONE}\nname: ${env:NONE}\nstores:\n"
                  "  w: { kind: \"${env:NO_KIND}\", port: 1 }\n",
                  "h.yaml:1:10: error: the environment variable `NONE` is not set; set it, or "
                  "write `${env:NONE:-default}`\n"
                  "version: ${env:NONE}\n"
                  "         ^\n"
                  "h.yaml:2:7: error: the environment variable `NONE` is not set; set it, or "
                  "write `${env:NONE:-default}`\n"
                  "name: ${env:NONE}\n"
                  "      ^\n"
                  "h.yaml:4:15: error: the environment variable `NO_KIND` is not set; set it, or "
                  "write `${env:NO_KIND:-default}`\n"
                  "  w: { kind: \"${env:NO_KIND}\", port: 1 }\n"
                  "              ^\n"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace headrace::stack
