#include "stack/yaml.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::stack {
namespace {

Node parsed(std::string_view text) {
  Diagnostics diagnostics("h.yaml", std::string(text));
  auto node = parse_yaml(text, diagnostics);
  EXPECT_TRUE(node) << diagnostics.text();
  return node ? *std::move(node) : Node();
}

std::string complaint(std::string_view text) {
  Diagnostics diagnostics("h.yaml", std::string(text));
  EXPECT_FALSE(parse_yaml(text, diagnostics));
  return diagnostics.text();
}

std::string as_json(std::string_view text) {
  JsonWriter json;
  write_json(json, parsed(text));
  return json.text();
}

TEST(Yaml, KeepsTheTextOfScalars) {
  const Node root =
      parsed("a: no\nb: 007\nc: 1e3\nd: 'it''s'\ne: |\n  two\n  lines\nf: >-\n  one\n  line\n");
  EXPECT_EQ(root.find("a")->text, "no");
  EXPECT_EQ(root.find("b")->text, "007");
  EXPECT_EQ(root.find("c")->text, "1e3");
  EXPECT_EQ(root.find("d")->text, "it's");
  EXPECT_EQ(root.find("e")->text, "two\nlines\n");
  EXPECT_EQ(root.find("f")->text, "one line");
  EXPECT_TRUE(root.find("a")->plain);
  EXPECT_FALSE(root.find("d")->plain);
  EXPECT_EQ(root.find("z"), nullptr);
}

TEST(Yaml, CountsPlacesInCharacters) {
  const Node root = parsed("ä: { ö: ü, x: [1,\n  二] }\r\ny:\r\n  - z\r\n");
  EXPECT_EQ(root.where, (Where{1, 1}));
  const Node& first = root.children[0];
  EXPECT_EQ(first.key_where, (Where{1, 1}));
  EXPECT_EQ(first.where, (Where{1, 4}));
  EXPECT_EQ(first.find("ö")->where, (Where{1, 9}));
  EXPECT_EQ(first.find("x")->key_where, (Where{1, 12}));
  EXPECT_EQ(first.find("x")->children[1].where, (Where{2, 3}));
  EXPECT_EQ(root.find("y")->children[0].where, (Where{4, 5}));
}

TEST(Yaml, BecomesJsonAsJsonWouldReadIt) {
  EXPECT_EQ(as_json("[1, -0.5, 1e3, true, false, null, ~, , '1', \"true\"]"),
            R"([1,-0.5,1e3,true,false,null,null,null,"1","true"])");
  EXPECT_EQ(as_json("[no, 0x1F, 007, +1, .5, 1., 5GB, 1_000, 'a\"b', NaN]"),
            R"(["no","0x1F","007","+1",".5","1.","5GB","1_000","a\"b","NaN"])");
  EXPECT_EQ(as_json("{b: 1, a: {}, c: []}"), R"({"b":1,"a":{},"c":[]})");
}

struct Refusal {
  const char* name;
  std::string_view text;
  std::string_view complaint;
};

void PrintTo(const Refusal& row, std::ostream* out) { *out << row.name; }

class YamlRefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(YamlRefusalTest, NamesThePlace) {
  EXPECT_EQ(complaint(GetParam().text), GetParam().complaint);
}

INSTANTIATE_TEST_SUITE_P(
    Files, YamlRefusalTest,
    testing::Values(
        Refusal{"Empty", "", "h.yaml: error: the file is empty\n"},
        Refusal{"CommentsOnly", "# nothing\n", "h.yaml: error: the file is empty\n"},
        Refusal{"Anchor", "a: &x [1]\n",
                "h.yaml:1:4: error: YAML anchors are not supported; write the value out\n"
                "a: &x [1]\n"
                "   ^\n"},
        Refusal{"AnchorOnText", "a:\n  - &x b\n",
                "h.yaml:2:5: error: YAML anchors are not supported; write the value out\n"
                "  - &x b\n"
                "    ^\n"},
        Refusal{"AnchorOnNothing", "a: &x\n",
                "h.yaml:1:4: error: YAML anchors are not supported; write the value out\n"
                "a: &x\n"
                "   ^\n"},
        Refusal{"AnchorOnAKey", "&x a: 1\n",
                "h.yaml:1:1: error: YAML anchors are not supported; write the value out\n"
                "&x a: 1\n"
                "^\n"},
        Refusal{"Alias", "a: *x\n",
                "h.yaml:1:4: error: this is not YAML: the referenced anchor is not defined\n"
                "a: *x\n"
                "   ^\n"},
        Refusal{"MergeKey", "a: 1\n<<: { b: 1 }\n",
                "h.yaml:2:1: error: YAML merge keys are not supported; write the keys out\n"
                "<<: { b: 1 }\n"
                "^\n"},
        Refusal{"Tag", "a: !!int 5\n",
                "h.yaml:1:4: error: YAML tags are not supported; the key says what type its value "
                "has\n"
                "a: !!int 5\n"
                "   ^\n"},
        Refusal{"BareTag", "a: ! 5\n",
                "h.yaml:1:4: error: YAML tags are not supported; the key says what type its value "
                "has\n"
                "a: ! 5\n"
                "   ^\n"},
        Refusal{"TagOnAMap", "a: !x { b: 1 }\n",
                "h.yaml:1:4: error: YAML tags are not supported; the key says what type its value "
                "has\n"
                "a: !x { b: 1 }\n"
                "   ^\n"},
        Refusal{"SecondDocument", "a: 1\n---\nb: 1\n",
                "h.yaml:2:1: error: a second document; a stack is one document\n"
                "---\n"
                "^\n"},
        Refusal{"SameKeyTwice", "a: 1\nb: { c: 1, c: 2 }\n",
                "h.yaml:2:12: error: `c` is given twice; the first is in line 2\n"
                "b: { c: 1, c: 2 }\n"
                "           ^\n"},
        Refusal{"SameKeyQuoted", "a: 1\n\"a\": 2\n",
                "h.yaml:2:1: error: `a` is given twice; the first is in line 1\n"
                "\"a\": 2\n"
                "^\n"},
        Refusal{"ListAsKey", "[a]: 1\n",
                "h.yaml:1:1: error: a key must be text, not a list or a map\n"
                "[a]: 1\n"
                "^\n"},
        Refusal{"NothingAsKey", "null: 1\n",
                "h.yaml:1:1: error: a key must be text; put it in quotes\n"
                "null: 1\n"
                "^\n"},
        Refusal{"OpenList", "a: [1, { b: 2 },\n\n",
                "h.yaml:1:4: error: this `[` is never closed\n"
                "a: [1, { b: 2 },\n"
                "   ^\n"},
        Refusal{"OpenMap", "a: { b: [1]",
                "h.yaml:1:4: error: this `{` is never closed\n"
                "a: { b: [1]\n"
                "   ^\n"},
        Refusal{"CommaMissingInAList", "a: [\n  'b' 'c' ]\n",
                "h.yaml:2:7: error: a `,` or `]` is missing; the list begins in line 1\n"
                "  'b' 'c' ]\n"
                "      ^\n"},
        Refusal{"CommaMissingInAMap", "a: { b: 'c' d: 'e' }\n",
                "h.yaml:1:13: error: a `,` or `}` is missing; the map begins in line 1\n"
                "a: { b: 'c' d: 'e' }\n"
                "            ^\n"},
        Refusal{"OpenQuote", "a: \"b\n\n",
                "h.yaml:1:6: error: a quote is still open where the file ends\n"
                "a: \"b\n"
                "     ^\n"},
        Refusal{"OpenQuoteOverLines", "a: 'b\nc: 1",
                "h.yaml:2:5: error: a quote is still open where the file ends\n"
                "c: 1\n"
                "    ^\n"},
        Refusal{"StrayComma", "[1],\n",
                "h.yaml:1:4: error: this belongs to no list or map\n"
                "[1],\n"
                "   ^\n"},
        Refusal{"OnlyAComma", ",",
                "h.yaml:1:1: error: this belongs to no list or map\n"
                ",\n"
                "^\n"},
        Refusal{"Tab", "a:\n\tb: 1\n",
                "h.yaml:2:1: error: a tab in the indentation; YAML wants blanks\n"
                "\tb: 1\n"
                "^\n"},
        Refusal{"TwoColons", "a: b: c\n",
                "h.yaml:1:5: error: this is not YAML: illegal map value\n"
                "a: b: c\n"
                "    ^\n"},
        Refusal{"Indentation", "a:\n  b: 1\n c: 2\n",
                "h.yaml:3:2: error: this is not YAML: end of map not found\n"
                " c: 2\n"
                " ^\n"},
        Refusal{"ControlCharacter", "a: 1\nb: x\x01\n",
                "h.yaml:2:5: error: a control character (byte 0x01)\n"
                "b: x\x01\n"
                "    ^\n"},
        Refusal{"NoUtf8", "ä: \xFF\n",
                "h.yaml:1:4: error: byte 0xff is no UTF-8; save the file as UTF-8\n"
                "ä: \xFF\n"
                "   ^\n"},
        Refusal{"LoneCarriageReturn", "a: 1\rb: 2\n",
                "h.yaml:1:5: error: a control character (byte 0x0d)\n"
                "a: 1\rb: 2\n"
                "    ^\n"}),
    [](const auto& row) { return row.param.name; });

TEST(Yaml, RefusesAnAliasOfAnEarlierAnchorAtTheAnchor) {
  EXPECT_EQ(complaint("a: &x 1\nb: *x\n"),
            "h.yaml:1:4: error: YAML anchors are not supported; write the value out\n"
            "a: &x 1\n"
            "   ^\n");
}

TEST(Yaml, MayHaveItsMarkers) {
  EXPECT_EQ(as_json("---\na: 1\n...\n"), R"({"a":1})");
  EXPECT_EQ(as_json("%YAML 1.2\n---\na: |\n  b\n"), R"({"a":"b\n"})");
}

TEST(Yaml, HasLimits) {
  EXPECT_EQ(complaint(std::string(kMostBytes + 1, '#')),
            "h.yaml: error: the file is larger than 4194304 bytes\n");

  const std::string deep = std::string(kDeepest + 1, '[') + std::string(kDeepest + 1, ']');
  EXPECT_THAT(complaint(deep), testing::StartsWith("h.yaml:1:65: error: more than 64 levels\n"));
  parsed(std::string(kDeepest, '[') + std::string(kDeepest, ']'));

  std::string wide = "[";
  for (std::size_t i = 0; i < kMostNodes; ++i) wide += "1,";
  EXPECT_THAT(complaint(wide + "]"),
              testing::HasSubstr("error: more than 250000 values in one file\n"));
}

TEST(Yaml, IsWrittenSoThatItReadsBack) {
  constexpr std::string_view kValues[] = {
      "a",  "no", "5",   "5m",   "0x1F", "1e5",   "-",    "...",  "~",      "a: b", "# c", "",
      " x", "ü",  "${x", "$${x", "*x",   "a\nb",  "null", "True", "{}",     "'",    "\"",  "\\",
      "=",  "<<", "a/b", "./b",  "?",    "10:30", "1_0",  "%x",   "@x",     "&",    "!",   "|",
      ">",  "`",  "$",   "\t",   "-a",   "a-",    "a:",   "0o7",  "128MiB", "200/s"};
  Node list;
  list.kind = Node::Kind::kList;
  for (const std::string_view value : kValues) {
    list.children.push_back(Node::scalar(std::string(value)));
    Node map;
    map.kind = Node::Kind::kMap;
    map.children.push_back(Node::scalar("x"));
    map.children.back().key = value;
    list.children.push_back(map);
  }
  const std::string text = to_yaml(list);
  const Node back = parsed(text);
  ASSERT_EQ(back.children.size(), list.children.size());
  for (std::size_t i = 0; i < std::size(kValues); ++i) {
    std::string value(kValues[i]);
    // What comes out is replaced once more when it is read: `$${` stands for `${`.
    for (std::size_t at = 0; (at = value.find("${", at)) != std::string::npos; at += 3) {
      value.insert(at, 1, '$');
    }
    EXPECT_EQ(back.children[2 * i].kind, Node::Kind::kScalar) << value;
    EXPECT_EQ(back.children[2 * i].text, value);
    EXPECT_EQ(back.children[2 * i + 1].children[0].key, kValues[i]);
  }
}

}  // namespace
}  // namespace headrace::stack
