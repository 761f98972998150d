#include "format/json_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "core/error.h"
#include "format/json_edit_model.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;

JsonEditConfig set(std::vector<std::pair<std::string, std::string>> fields) {
  return {.set = std::move(fields)};
}
JsonEditConfig remove(std::vector<std::string> paths) { return {.remove = std::move(paths)}; }
JsonEditConfig rename(std::vector<std::pair<std::string, std::string>> fields) {
  return {.rename = std::move(fields)};
}

struct Edited {
  std::string text;
  bool changed = false;
  JsonEditReport report;
};

Edited edit(const JsonEditConfig& config, std::string_view text) {
  const JsonEdits edits(config);
  JsonEditor editor(edits);
  Edited result;
  editor.push(Bytes(text));
  for (Bytes out = editor.next(); !out.empty(); out = editor.next()) result.text += out;
  editor.finish();
  for (Bytes out = editor.next(); !out.empty(); out = editor.next()) result.text += out;
  result.changed = editor.changed();
  result.report = editor.report();
  return result;
}

/// One row: an edit, a text, what it becomes.
struct EditCase {
  const char* name;
  JsonEditConfig config;
  std::string_view before;
  std::string_view after;
};

/// For the tables' tests to be named, and shown, by their rows.
constexpr auto case_name = [](const auto& row) { return row.param.name; };
void PrintTo(const EditCase& row, std::ostream* out) { *out << row.before; }

class JsonEditTest : public testing::TestWithParam<EditCase> {};

TEST_P(JsonEditTest, ChangesOnlyWhatItMust) {
  const EditCase& row = GetParam();
  const Edited result = edit(row.config, row.before);
  EXPECT_EQ(result.text, row.after);
  EXPECT_EQ(result.changed, row.before != row.after);
  EXPECT_EQ(result.report.fault_count, 0u);
  EXPECT_EQ(json_edit_model::check(row.config, row.before, 3), "");
}

INSTANTIATE_TEST_SUITE_P(
    Set, JsonEditTest,
    testing::Values(
        EditCase{"ReplacesAValueInItsPlace", set({{"a", "\"\""}}),
                 R"({"x": 1.0, "a" :  {"b":[1]} , "y":"\u00e9"})"
                 "\n",
                 R"({"x": 1.0, "a" :  "" , "y":"\u00e9"})"
                 "\n"},
        EditCase{"AddsAnAbsentFieldAtTheEnd", set({{"b", "2"}}), "{\"a\":1}\n{}\n",
                 "{\"a\":1,\"b\":2}\n{\"b\":2}\n"},
        EditCase{"AddsInTheSpacingOfTheFieldBefore", set({{"c", "3"}}), R"({ "a": 1, "b" : 2 })",
                 R"({ "a": 1, "b" : 2, "c" : 3 })"},
        EditCase{"TakesTheSpaceAfterTheColonOfAnOnlyField", set({{"b", "2"}}), R"({"a": 1})",
                 R"({"a": 1, "b": 2})"},
        EditCase{"AddsInTheOrderOfTheConfig", set({{"z", "1"}, {"y", "2"}}), "{}",
                 R"({"z":1,"y":2})"},
        EditCase{"ReachesIntoObjects", set({{"a.b", "0"}}), R"({"a":{"b":1,"c":2},"b":3})",
                 R"({"a":{"b":0,"c":2},"b":3})"},
        EditCase{"MakesTheObjectsAnAbsentFieldLiesIn", set({{"a.b.c", "1"}, {"a.b.d", "2"}}),
                 R"({"x":0})", R"({"x":0,"a":{"b":{"c":1,"d":2}}})"},
        EditCase{"TakesNullForAnAbsentObject", set({{"a.b", "1"}}), R"({"a": null})",
                 R"({"a": {"b":1}})"},
        EditCase{"EditsEachOccurrenceOfADoubleKey", set({{"a", "0"}}), R"({"a":1,"b":2,"a":3})",
                 R"({"a":0,"b":2,"a":0})"},
        EditCase{"KnowsAKeyWrittenWithEscapes", set({{"né", "0"}}), R"({"n\u00e9":1})",
                 R"({"n\u00e9":0})"},
        EditCase{"KnowsAKeyBeyondTheBasicPlane", set({{"😀", "0"}}), R"({"\ud83d\ude00":1})",
                 R"({"\ud83d\ude00":0})"},
        EditCase{"LeavesAFieldThatHasTheValue", set({{"a", "1"}}), R"({"a":1})", R"({"a":1})"}),
    case_name);

TEST(JsonEdit, TakesADotInANameAfterABackslash) {
  const Edited result = edit(remove({"a\\.b"}), R"({"a.b":1,"a":{"b":2}})");
  EXPECT_EQ(result.text, R"({"a":{"b":2}})");
}

TEST(JsonEdit, EscapesANewName) {
  EXPECT_EQ(edit(rename({{"a", "b\"c"}}), R"({"a" : 1})").text, R"({"b\"c" : 1})");
}

JsonEditConfig present_only() {
  JsonEditConfig config = set({{"a", "0"}, {"b.c", "0"}});
  config.if_absent = IfAbsent::kSkip;
  return config;
}

INSTANTIATE_TEST_SUITE_P(
    SetOnlyWhatIsThere, JsonEditTest,
    testing::Values(EditCase{"Adds", present_only(), R"({"a":1,"b":{}})", R"({"a":0,"b":{}})"},
                    EditCase{"LeavesNull", present_only(), R"({"b":null})", R"({"b":null})"},
                    EditCase{"LeavesOtherValues", present_only(), R"({"b":[1]})", R"({"b":[1]})"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Remove, JsonEditTest,
    testing::Values(
        EditCase{"First", remove({"a"}), R"({ "a":1, "b":2 })", R"({ "b":2 })"},
        EditCase{"FirstOfManySpaced", remove({"a"}), R"({"a":1, "b":2})", R"({"b":2})"},
        EditCase{"Middle", remove({"b"}), R"({"a":1, "b":2, "c":3})", R"({"a":1, "c":3})"},
        EditCase{"Last", remove({"b"}), R"({ "a":1, "b":2 })", R"({ "a":1 })"},
        EditCase{"TheOnlyOne", remove({"a"}), R"({ "a":1 })", "{}"},
        EditCase{"TwoAtTheFront", remove({"a", "b"}), R"({"a":1,"b":2,"c":3})", R"({"c":3})"},
        EditCase{"TwoAtTheEnd", remove({"b", "c"}), R"({"a":1,"b":2,"c":3})", R"({"a":1})"},
        EditCase{"All", remove({"a", "b"}), "{\n  \"a\": 1,\n  \"b\": 2\n}", "{}"},
        EditCase{"ADoubleKey", remove({"a"}), R"({"a":1,"b":2,"a":3})", R"({"b":2})"},
        EditCase{"WithinObjects", remove({"a.b"}), R"({"a":{"b":1},"b":2})", R"({"a":{},"b":2})"},
        EditCase{"NothingInAnArray", remove({"a.b"}), R"({"a":[{"b":1}]})", R"({"a":[{"b":1}]})"}),
    case_name);

INSTANTIATE_TEST_SUITE_P(Rename, JsonEditTest,
                         testing::Values(EditCase{"KeepsTheValueAndItsPlace", rename({{"a", "b"}}),
                                                  R"({"x":1, "a" : 2})", R"({"x":1, "b" : 2})"},
                                         EditCase{"WithinObjects", rename({{"a.b", "c"}}),
                                                  R"({"a":{"b":1}})", R"({"a":{"c":1}})"},
                                         EditCase{"NothingIfAbsent", rename({{"a", "b"}}),
                                                  R"({"b":1})", R"({"b":1})"}),
                         case_name);

JsonEditConfig all_three() {
  return {.set = {{"d", "4"}}, .remove = {"a"}, .rename = {{"b", "bb"}}};
}

INSTANTIATE_TEST_SUITE_P(
    Together, JsonEditTest,
    testing::Values(EditCase{"OnOneLine", all_three(), R"({"a":1, "b":2})", R"({"bb":2, "d":4})"},
                    EditCase{"AllGoneThenAdded", all_three(), R"({ "a": 1 })", R"({ "d": 4 })"}),
    case_name);

constexpr std::string_view kPretty = R"({
  "a": 1,
  "b": {
    "c": "x"
  },
  "d": [1, 2]
}
)";

INSTANTIATE_TEST_SUITE_P(
    Layouts, JsonEditTest,
    testing::Values(EditCase{"KeepsLineEnds", set({{"a", "0"}}),
                             "{\"a\":1}\r\n\r\n  \n{\"a\":2}\n{\"a\":3}",
                             "{\"a\":0}\r\n\r\n  \n{\"a\":0}\n{\"a\":0}"},
                    EditCase{"KeepsAByteOrderMark", set({{"a", "0"}}), "\xEF\xBB\xBF{\"a\":1}\n",
                             "\xEF\xBB\xBF{\"a\":0}\n"},
                    EditCase{"SetsInAPrettyDocument", set({{"b.e", "5"}, {"f", "6"}}), kPretty,
                             "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": \"x\",\n    \"e\": 5\n  },\n"
                             "  \"d\": [1, 2],\n  \"f\": 6\n}\n"},
                    EditCase{"RemovesFromAPrettyDocument", remove({"d"}), kPretty,
                             "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": \"x\"\n  }\n}\n"},
                    EditCase{"EditsEachElementOfAnArray", set({{"a", "0"}}),
                             "[\n  {\"a\":1},\n  {\"a\":2} ,{}\n]\n",
                             "[\n  {\"a\":0},\n  {\"a\":0} ,{\"a\":0}\n]\n"},
                    EditCase{"LeavesAnEmptyArray", set({{"a", "0"}}), "[ ]", "[ ]"},
                    EditCase{"LeavesNothing", set({{"a", "0"}}), "", ""},
                    EditCase{"LeavesBlankLines", set({{"a", "0"}}), "\n \r\n", "\n \r\n"},
                    EditCase{"TakesADocumentThatBeginsLikeALine", remove({"a"}),
                             "{\"a\":\n{\"b\":1}\n}", "{}"}),
    case_name);

/// One row: a text with one bad line among good ones, and what is said of it.
struct BadCase {
  const char* name;
  std::string bad;
  std::string_view reason;
};

void PrintTo(const BadCase& row, std::ostream* out) { *out << row.bad.substr(0, 100); }

class JsonEditBadLineTest : public testing::TestWithParam<BadCase> {};

TEST_P(JsonEditBadLineTest, StaysAsItIsAndIsReported) {
  const BadCase& row = GetParam();
  const JsonEditConfig config{.set = {{"a", "0"}, {"p.q", "0"}}, .rename = {{"r", "s"}}};
  const Edited result = edit(config, "{\"p\":{\"q\":0}}\r\n" + row.bad + "\r\n{\"a\":1}\r\n");
  EXPECT_EQ(result.text,
            "{\"p\":{\"q\":0},\"a\":0}\r\n" + row.bad + "\r\n{\"a\":0,\"p\":{\"q\":0}}\r\n");
  ASSERT_THAT(result.report.faults, SizeIs(1));
  EXPECT_EQ(result.report.faults[0].line, 2u);
  EXPECT_THAT(result.report.faults[0].reason, testing::StartsWith(row.reason));
  EXPECT_EQ(result.report.faults[0].text, row.bad);
  EXPECT_EQ(result.report.fault_count, 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Reasons, JsonEditBadLineTest,
    testing::Values(
        BadCase{"NotClosed", R"({"a":1)", "column 7: expected ',' or '}'"},
        BadCase{"NoObject", "[1]", "column 1: expected an object"},
        BadCase{"Number", "17", "column 1: expected an object"},
        BadCase{"Garbage", "hello", "column 1: expected an object"},
        BadCase{"TwoOnALine", R"({"a":1}{"a":2})", "column 8: expected nothing more"},
        BadCase{"CommaBeforeTheEnd", R"({"a":1,})", "column 8: expected a string"},
        BadCase{"NoColon", R"({"a" 1})", "column 6: expected ':'"},
        BadCase{"NoValue", R"({"x":})", "column 6: expected a value"},
        BadCase{"LeadingZero", R"({"x":012})", "column 7: expected ',' or '}'"},
        BadCase{"NoDigitAfterThePoint", R"({"x":[1.]})", "column 9: expected a digit"},
        BadCase{"NoExponent", R"({"x":1e})", "column 8: expected a digit"},
        BadCase{"NotANumber", R"({"x":NaN})", "column 6: expected a value"},
        BadCase{"CutLiteral", R"({"x":tru})", "column 6: expected a value"},
        BadCase{"StringWithoutEnd", R"({"x":"abc)", "column 6: this string has no end"},
        BadCase{"ControlCharacter", "{\"x\":\"a\tb\"}", "column 8: a control character"},
        BadCase{"UnknownEscape", R"({"x":"\q"})", "column 7: there is no such escape"},
        BadCase{"ShortUnicodeEscape", R"({"x":"\u12"})", "column 7: there is no such escape"},
        BadCase{"NotUtf8", "{\"x\":\"\xC3\x28\"}", "column 6: this string is not UTF-8"},
        BadCase{"ZeroByte", std::string("{\"x\":\0}", 7), "column 6: expected a value"},
        BadCase{"WrongBracket", R"({"x":[1}})", "column 8: expected ',' or ']'"},
        BadCase{"TooDeep", "{\"x\":" + std::string(10'000, '['), "column 1005: nested deeper"},
        BadCase{"AValueInTheWay", R"({"p":[]})", "column 6: \"p\" is no object"},
        BadCase{"ADoubleName", R"({"a":0,"r":1,"s":2})",
                "column 19: \"r\" cannot become \"s\": that field is there already"}),
    case_name);

TEST(JsonEdit, KeepsABadLineInSilenceIfToldSo) {
  JsonEditConfig config = set({{"a", "0"}});
  config.on_bad_line = OnBadLine::kSkip;
  const Edited result = edit(config, "{\"a\":1}\n{\"a\":\n");
  EXPECT_EQ(result.text, "{\"a\":0}\n{\"a\":\n");
  EXPECT_EQ(result.report.fault_count, 1u);
  EXPECT_THAT(result.report.faults, SizeIs(0));
}

TEST(JsonEdit, FailsAtABadLineIfToldSo) {
  JsonEditConfig config = set({{"a", "0"}});
  config.on_bad_line = OnBadLine::kFail;
  try {
    edit(config, "{\"a\":1}\n\n{\"a\":\n");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_STREQ(error.what(), "line 3: column 6: expected a value");
  }
}

TEST(JsonEdit, PassesALineBeyondTheLimitThrough) {
  JsonEditConfig config = set({{"a", "0"}});
  config.line_bytes = 20;
  config.fault_bytes = 5;
  const std::string long_line = R"({"a":")" + std::string(100, 'x') + "\"}\n";
  const std::string text = "{\"a\":1}\n" + long_line + "{\"a\":2}\n" + long_line;
  for (const std::size_t piece : {1u, 10u, 1'000u}) {
    const auto run = json_edit_model::run(JsonEdits(config), text, piece);
    EXPECT_EQ(run.out, "{\"a\":0}\n" + long_line + "{\"a\":0}\n" + long_line);
    EXPECT_EQ(run.faults, 2u);
  }
  const Edited result = edit(config, text);
  ASSERT_THAT(result.report.faults, SizeIs(2));
  EXPECT_EQ(result.report.faults[1].line, 4u);
  EXPECT_EQ(result.report.faults[1].reason, "longer than the limit of 20 bytes");
  EXPECT_EQ(result.report.faults[1].text, R"({"a":)");
}

TEST(JsonEdit, PassesADocumentBeyondTheLimitThrough) {
  JsonEditConfig config = set({{"a", "0"}});
  config.document_bytes = 30;
  const std::string text = "[{\"a\":1},\n{\"a\":2},\n{\"a\":3},\n{\"a\":4}]";
  for (const std::size_t piece : {1u, 10u, 1'000u}) {
    const auto run = json_edit_model::run(JsonEdits(config), text, piece);
    EXPECT_EQ(run.out, text);
    EXPECT_FALSE(run.changed);
    EXPECT_EQ(run.faults, 1u);
  }
}

TEST(JsonEdit, KeepsADocumentThatWouldGrowBeyondTheLimit) {
  JsonEditConfig config = set({{"a", "\"0123456789\""}});
  config.document_bytes = 40;
  const std::string text = "[{},\n{},\n{},\n{},\n{},\n{}]";
  const Edited result = edit(config, text);
  EXPECT_EQ(result.text, text);
  EXPECT_FALSE(result.changed);
  EXPECT_EQ(result.report.fault_count, 1u);
}

TEST(JsonEdit, KeepsAnElementThatCannotBeEdited) {
  const Edited result =
      edit(set({{"a.b", "0"}}), "[{\"a\":{}}, 17,\n {\"a\":1}, {\"a\":{\"b\":1}}]");
  EXPECT_EQ(result.text, "[{\"a\":{\"b\":0}}, 17,\n {\"a\":1}, {\"a\":{\"b\":0}}]");
  EXPECT_THAT(result.report.faults,
              ElementsAre(Field(&LineFault::line, 2u), Field(&LineFault::line, 3u)));
  EXPECT_EQ(result.report.faults[1].reason,
            "line 2, column 7: \"a\" is no object, so nothing in it can be set");
  EXPECT_EQ(result.report.faults[1].text, "{\"a\":1}");
  EXPECT_EQ(result.report.values, 4u);
  EXPECT_EQ(result.report.changed, 2u);
}

TEST(JsonEdit, KeepsADocumentThatIsBroken) {
  for (const std::string_view text : {"[{\"a\":1},\n{\"a\":2}", "{\n  \"a\": 1,\n  \"b\":\n"}) {
    const Edited result = edit(set({{"a", "0"}}), text);
    EXPECT_EQ(result.text, text);
    EXPECT_EQ(result.report.fault_count, 1u);
  }
}

TEST(JsonEdit, TakesABrokenFirstLineForALineIfTheNextIsWhole) {
  const Edited result = edit(set({{"a", "0"}}), "{\"a\":\n{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(result.text, "{\"a\":\n{\"a\":0}\n{\"a\":0}\n");
  EXPECT_THAT(result.report.faults, ElementsAre(Field(&LineFault::line, 1u)));
}

TEST(JsonEdit, CountsFaultsBeyondTheOnesItKeeps) {
  JsonEditConfig config = set({{"a", "0"}});
  config.faults = 2;
  EXPECT_THAT(edit(config, "x\nx\nx\nx\n").report.faults, SizeIs(2));
  EXPECT_EQ(edit(config, "x\nx\nx\nx\n").report.fault_count, 4u);
  EXPECT_EQ(edit(config, "[1,2,3,4]").report.fault_count, 4u);
}

TEST(JsonEdit, IsLinearInALongLineThatComesInSmallPieces) {
  const std::string text = R"({"x":")" + std::string(20 << 20, 'y') + "\",\"a\":1}\n{\"a\":2}\n";
  const auto run = json_edit_model::run(JsonEdits(remove({"x"})), text, 4'096);
  EXPECT_EQ(run.out, "{\"a\":1}\n{\"a\":2}\n");
}

TEST(JsonEdit, GivesItsOutputInPiecesOfBoundedSize) {
  const JsonEdits edits(set({{"a", "0"}}));
  JsonEditor editor(edits);
  editor.push("{\"x\":\"" + std::string(1 << 20, 'y') + "\"}\n");
  editor.finish();
  std::size_t total = 0;
  for (Bytes out = editor.next(); !out.empty(); out = editor.next()) {
    EXPECT_LE(out.size(), 256u << 10);
    total += out.size();
  }
  EXPECT_EQ(total, (1u << 20) + 9 + 6);
}

/// One row: edits that are refused, and a part of what is said.
struct RefusedCase {
  const char* name;
  JsonEditConfig config;
  std::string_view message;
};

void PrintTo(const RefusedCase& row, std::ostream* out) { *out << row.message; }

class JsonEditRefusedTest : public testing::TestWithParam<RefusedCase> {};

TEST_P(JsonEditRefusedTest, IsInvalid) {
  try {
    const JsonEdits edits(GetParam().config);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Configs, JsonEditRefusedTest,
    testing::Values(
        RefusedCase{"Nothing", {}, "needs set, remove or rename"},
        RefusedCase{"NoName", remove({""}), "remove '': a name in the path is empty"},
        RefusedCase{"EmptyName", remove({"a..b"}), "is empty"},
        RefusedCase{"LooseBackslash", remove({"a\\b"}), "a backslash stands only before"},
        RefusedCase{"NotUtf8", remove({"\xFF"}), "not UTF-8"},
        RefusedCase{"ValueNotJson", set({{"a", "hello"}}),
                    "set 'a': the value is not JSON: column 1"},
        RefusedCase{"TwoValues", set({{"a", "1 2"}}), "one JSON value"},
        RefusedCase{"ValueOfTwoLines", set({{"a", "[1,\n2]"}}), "on one line"},
        RefusedCase{
            "SameFieldTwice", {.set = {{"a", "1"}}, .remove = {"a"}}, "another edit touches"},
        RefusedCase{"FieldWithinAnEditedOne", {.set = {{"a.b", "1"}}, .remove = {"a"}}, "'a'"},
        RefusedCase{"FieldAroundAnEditedOne", {.set = {{"a", "{}"}}, .remove = {"a.b"}}, "'a'"},
        RefusedCase{"RenameOntoAnEditedField", {.remove = {"b"}, .rename = {{"a", "b"}}}, "'b'"},
        RefusedCase{"RenameInAChain", rename({{"a", "b"}, {"b", "c"}}), "'b'"},
        RefusedCase{"TwoRenamesOntoOneName", rename({{"a", "c"}, {"b", "c"}}), "'c'"},
        RefusedCase{"RenameToItself", rename({{"a", "a"}}), "the new name is the old one"}),
    case_name);

TEST(JsonEdit, AgreesWithASlowModelOnRandomTexts) {
  std::vector<JsonEditConfig> configs = {
      set({{"a", "\"\""}}), set({{"a.b", "1"}, {"c", "null"}, {"a.d.e", "[]"}}),
      remove({"a", "b.a"}), rename({{"a", "b"}, {"c.a", "d"}}),
      all_three(),          present_only()};
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    const std::string text = json_edit_model::RandomText(seed).text();
    const std::string wrong =
        json_edit_model::check(configs[seed % configs.size()], text, 1 + seed % 17);
    ASSERT_EQ(wrong, "") << "seed " << seed << "\n" << text;
  }
}

}  // namespace
}  // namespace headrace
