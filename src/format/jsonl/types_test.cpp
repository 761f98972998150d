// The rules of docs/formats/types.md, a test row for each row of its tables, in the same order and
// under the same names.
#include <gmock/gmock.h>

#include "format/read_back.h"

namespace headrace {
namespace {

using testing::ElementsAreArray;

/// The values of a key "v", one row each, and what becomes of them while columns are chosen.
struct InferenceCase {
  const char* name;
  std::vector<std::string> values;
  std::string type;                 ///< Empty: no column.
  std::vector<std::string> stored;  ///< As JSON; what was rescued stands behind " + ".
};

std::string stored_row(const std::string& stored, bool has_rescued, bool has_column) {
  const auto plus = stored.find(" + ");
  std::string row = has_column ? "\"v\":" + stored.substr(0, plus) : "";
  if (has_rescued) {
    row += (row.empty() ? "" : ",") + std::string("\"_rescued_data\":");
    std::string rescued =
        plus == std::string::npos ? "" : "{\"v\":" + stored.substr(plus + 3) + "}";
    std::string quoted;
    for (const char c : rescued) quoted += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
    row += rescued.empty() ? "null" : "\"" + quoted + "\"";
  }
  return "{" + row + "}";
}

std::string lines_of(const std::vector<std::string>& values) {
  std::string lines;
  for (const std::string& value : values) {
    lines += value == "-" ? "{}\n" : "{\"v\":" + value + "}\n";
  }
  return lines;
}

template <class Case>
void expect_rows(const Case& row, const Converted& out, bool has_column) {
  bool rescued = !has_column;
  for (const std::string& stored : row.stored) rescued |= stored.find(" + ") != std::string::npos;
  std::vector<std::string> expected;
  for (const std::string& stored : row.stored) {
    expected.push_back(stored_row(stored, rescued, has_column));
  }
  EXPECT_THAT(out.rows, ElementsAreArray(expected));
}

class InferenceTest : public testing::TestWithParam<InferenceCase> {};

TEST_P(InferenceTest, ChoosesTheTypeThatHoldsTheValuesWithoutLoss) {
  const InferenceCase& row = GetParam();
  const auto out = convert(lines_of(row.values));
  const bool rescued = out.schema.find("_rescued_data") != std::string::npos;
  std::string expected = row.type.empty() ? "" : "v:" + row.type;
  if (rescued) expected += (expected.empty() ? "" : ",") + std::string("_rescued_data:string");
  EXPECT_EQ(out.schema, expected);
  expect_rows(row, out, !row.type.empty());
  EXPECT_EQ(out.object.fault_count, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, InferenceTest,
    testing::Values(
        InferenceCase{"OnlyNulls", {"null", "-"}, "", {"null", "null"}},
        InferenceCase{"Booleans", {"true", "null", "false"}, "boolean", {"true", "null", "false"}},
        InferenceCase{"WholeNumbers",
                      {"1", "-9223372036854775808", "9223372036854775807"},
                      "long",
                      {"1", "-9223372036854775808", "9223372036854775807"}},
        InferenceCase{"Fractions", {"1.5", "-0.25e3", "-0"}, "double", {"1.5", "-250", "-0"}},
        InferenceCase{"WholeAndFractions", {"1", "2.5"}, "double", {"1", "2.5"}},
        InferenceCase{"LargeWholeAndFractions",
                      {"9007199254740993", "2.5"},
                      "string",
                      {R"("9007199254740993")", R"("2.5")"}},
        InferenceCase{"BeyondLong",
                      {"18446744073709551615", "1", "-1"},
                      "decimal(38,0)",
                      {"18446744073709551615", "1", "-1"}},
        InferenceCase{"BeyondLongAndFractions",
                      {"18446744073709551615", "0.5"},
                      "string",
                      {R"("18446744073709551615")", R"("0.5")"}},
        InferenceCase{"BeyondDecimal",
                      {"123456789012345678901234567890123456789"},
                      "string",
                      {R"("123456789012345678901234567890123456789")"}},
        InferenceCase{"TooFineForDouble",
                      {"0.1234567890123456789", "1"},
                      "string",
                      {R"("0.1234567890123456789")", R"("1")"}},
        InferenceCase{"Texts", {R"("a")", R"("")"}, "string", {R"("a")", R"("")"}},
        InferenceCase{"TextsAndNumbers", {R"("a")", "1.50"}, "string", {R"("a")", R"("1.50")"}},
        InferenceCase{"Moments",
                      {R"("2026-01-31T09:08:07.5Z")", R"("2026-01-31T09:08:07+02:00")"},
                      "timestamp",
                      {R"("2026-01-31T09:08:07.500Z")", R"("2026-01-31T07:08:07Z")"}},
        InferenceCase{"MomentsAndTexts",
                      {R"("2026-01-31T09:08:07Z")", R"("soon")"},
                      "string",
                      {R"("2026-01-31T09:08:07Z")", R"("soon")"}},
        InferenceCase{"MomentsWithoutZone",
                      {R"("2026-01-31T09:08:07")"},
                      "string",
                      {R"("2026-01-31T09:08:07")"}},
        InferenceCase{"MomentsFinerThanMicroseconds",
                      {R"("2026-01-31T09:08:07.1234567Z")"},
                      "string",
                      {R"("2026-01-31T09:08:07.1234567Z")"}},
        InferenceCase{"Dates", {R"("2026-01-31")", "null"}, "date", {R"("2026-01-31")", "null"}},
        InferenceCase{"DatesAndMoments",
                      {R"("2026-01-31")", R"("2026-01-31T09:08:07Z")"},
                      "string",
                      {R"("2026-01-31")", R"("2026-01-31T09:08:07Z")"}},
        InferenceCase{"DatesThatAreNone",
                      {R"("2026-01-31")", R"("2026-02-30")"},
                      "string",
                      {R"("2026-01-31")", R"("2026-02-30")"}},
        InferenceCase{"Objects",
                      {R"({"a":1})", R"({"b":"x"})"},
                      "struct<a:long,b:string>",
                      {R"({"a":1,"b":null})", R"({"a":null,"b":"x"})"}},
        InferenceCase{
            "Arrays", {"[1,2.5]", "[]", "[null]"}, "array<double>", {"[1,2.5]", "[]", "[null]"}},
        InferenceCase{"OnlyEmptyContainers", {"[]", "{}"}, "string", {R"("[]")", R"("{}")"}},
        InferenceCase{"OnlyEmptyArrays", {"[]", "[null]"}, "string", {R"("[]")", R"("[null]")"}},
        InferenceCase{"Conflicts",
                      {"1", "true", R"({"a":[1, 2]})", R"("x")"},
                      "string",
                      {R"("1")", R"("true")", R"("{\"a\":[1, 2]}")", R"("\"x\"")"}},
        InferenceCase{"ConflictsWithinArrays",
                      {R"([1,{"a":2}])"},
                      "array<string>",
                      {R"(["1","{\"a\":2}"])"}}),
    [](const auto& row) { return row.param.name; });

/// What a column of a table takes that is already there.
struct FitCase {
  const char* name;
  DataType type;
  std::vector<std::string> values;
  std::vector<std::string> stored;
};

class FitTest : public testing::TestWithParam<FitCase> {};

TEST_P(FitTest, TakesWhatIsExactAndRescuesTheRest) {
  const FitCase& row = GetParam();
  ConvertOptions options;
  options.schema.fields.push_back({.name = "v", .type = row.type});
  const auto out = convert(lines_of(row.values), options);
  expect_rows(row, out, true);
  EXPECT_EQ(out.object.fault_count, 0u);
  EXPECT_EQ(out.schema.substr(0, out.schema.find(",_rescued")),
            to_string(Schema{{{.name = "v", .type = row.type}}}));
}

DataType plain(TypeKind kind) { return {.kind = kind}; }
DataType decimal(int precision, int scale) {
  return {.kind = TypeKind::kDecimal, .precision = precision, .scale = scale};
}
DataType list_of(TypeKind kind) {
  return {.kind = TypeKind::kList, .fields = {field_of("element", kind)}};
}
DataType map_of(TypeKind kind) {
  Field key = field_of("key", TypeKind::kString);
  key.nullable = false;
  return {.kind = TypeKind::kMap, .fields = {key, field_of("value", kind)}};
}

INSTANTIATE_TEST_SUITE_P(
    Rules, FitTest,
    testing::Values(
        FitCase{"Boolean",
                plain(TypeKind::kBoolean),
                {"true", "1", R"("true")"},
                {"true", "null + 1", R"(null + "true")"}},
        FitCase{"Integer",
                plain(TypeKind::kInteger),
                {"2147483647", "2147483648", "-2147483648", "7.0", "1e3"},
                {"2147483647", "null + 2147483648", "-2147483648", "7", "1000"}},
        FitCase{"Long",
                plain(TypeKind::kLong),
                {"9223372036854775807", "9223372036854775808", "0.5", R"("1")", "-0", "[1]"},
                {"9223372036854775807", "null + 9223372036854775808", "null + 0.5", R"(null + "1")",
                 "null + -0", "null + [1]"}},
        FitCase{"Float",
                plain(TypeKind::kFloat),
                {"0.1", "16777217", "1e39", "3.14159274"},
                {"0.1", "null + 16777217", "null + 1e39", "3.1415927"}},
        FitCase{"Double",
                plain(TypeKind::kDouble),
                {"0.1", "9007199254740993", "1e400", "0.10000000000000001", "-122.422003528252475",
                 "0.123456789012345678"},
                {"0.1", "null + 9007199254740993", "null + 1e400", "0.1", "-122.42200352825247",
                 "null + 0.123456789012345678"}},
        FitCase{"Decimal",
                decimal(5, 2),
                {"1.5", "999.99", "1000", "0.001", "1.100", R"("1.5")"},
                {"1.50", "999.99", "null + 1000", "null + 0.001", "1.10", R"(null + "1.5")"}},
        FitCase{"WideDecimal",
                decimal(38, 10),
                {"-1234567890123456789012345678.0123456789", "1"},
                {"-1234567890123456789012345678.0123456789", "1.0000000000"}},
        FitCase{"String",
                plain(TypeKind::kString),
                {R"("x")", "1.50", "true", R"({"a": 1})"},
                {R"("x")", R"("1.50")", "null + true", R"(null + {"a": 1})"}},
        FitCase{"Binary",
                plain(TypeKind::kBinary),
                {R"("AQID")", R"("no base64")", "1"},
                {R"("010203")", R"(null + "no base64")", "null + 1"}},
        FitCase{"Date",
                plain(TypeKind::kDate),
                {R"("2026-01-31")", R"("2026-02-30")", "20"},
                {R"("2026-01-31")", R"(null + "2026-02-30")", "null + 20"}},
        FitCase{
            "Timestamp",
            plain(TypeKind::kTimestamp),
            {R"("2026-01-31T00:00:00.000001Z")", R"("2026-01-31 02:00:00+02:00")",
             R"("2026-01-31T00:00:00")", R"("2026-01-31T23:59:60Z")", "0"},
            {R"("2026-01-31T00:00:00.000001Z")", R"("2026-01-31T00:00:00Z")",
             R"(null + "2026-01-31T00:00:00")", R"(null + "2026-01-31T23:59:60Z")", "null + 0"}},
        FitCase{"TimestampNtz",
                plain(TypeKind::kTimestampNtz),
                {R"("1969-12-31T23:59:59.5")", R"("2026-01-31T00:00:00Z")"},
                {R"("1969-12-31T23:59:59.500")", R"(null + "2026-01-31T00:00:00Z")"}},
        FitCase{"Struct",
                {.kind = TypeKind::kStruct, .fields = {field_of("a", TypeKind::kLong)}},
                {R"({"a":1})", "1", "[]"},
                {R"({"a":1})", "null + 1", "null + []"}},
        FitCase{"Array",
                list_of(TypeKind::kLong),
                {"[1,null]", R"([1,"x", 2])", "{}"},
                {"[1,null]", R"(null + [1,"x", 2])", "null + {}"}},
        FitCase{"Map",
                map_of(TypeKind::kLong),
                {R"({"a":1,"b":null})", "{}", R"({"a":1,"a":2})"},
                {R"({"a":1,"b":null})", "{}", R"(null + {"a":1,"a":2})"}}),
    [](const auto& row) { return row.param.name; });

/// An object of so many keys, of which it has `each` from the `first` on, each with `value`.
std::string keyed(int first, int each, const std::string& value) {
  std::string object = "{";
  for (int i = first; i < first + each; ++i) {
    object += (i == first ? "\"k" : ",\"k") + std::to_string(i) + "\":" + value;
  }
  return object + "}";
}

/// The type of a column whose objects have, one after another, other keys.
std::string type_of_keyed(int objects, int each, const std::vector<std::string>& values) {
  std::vector<std::string> rows;
  for (int i = 0; i < objects; ++i) {
    rows.push_back(keyed(i * each, each, values[static_cast<std::size_t>(i) % values.size()]));
  }
  const std::string schema = convert(lines_of(rows)).schema;
  return schema.substr(0, std::min<std::size_t>(schema.find('<', 2), 12) + 1);
}

TEST(KeysThatAreData, MakeAMapIfThereAreManyAndEachObjectHasFew) {
  EXPECT_EQ(convert(lines_of({keyed(0, 40, "1"), keyed(40, 24, "1")})).schema.substr(0, 9),
            "v:struct<");
  std::vector<std::string> rows;
  for (int i = 0; i < 13; ++i) rows.push_back(keyed(i * 5, 5, "1"));  // 65 keys, five each.
  const auto out = convert(lines_of(rows));
  EXPECT_EQ(out.schema, "v:map<string,long>");
  EXPECT_EQ(out.rows[12], "{\"v\":" + rows[12] + "}");
}

TEST(KeysThatAreData, MakeAMapInAnyCaseBeyondAThousand) {
  EXPECT_EQ(convert(lines_of({keyed(0, 1'000, "1")})).schema.substr(0, 9), "v:struct<");
  EXPECT_EQ(convert(lines_of({keyed(0, 1'001, "1.5")})).schema, "v:map<string,double>");
  const auto many =
      convert(lines_of({keyed(0, 30'000, R"({"a":1})")}));  // Beyond the limit of columns.
  EXPECT_EQ(many.schema, "v:map<string,struct<a:long>>");
  EXPECT_EQ(many.rows[0], "{\"v\":" + keyed(0, 30'000, R"({"a":1})") + "}");
}

TEST(KeysThatAreData, NeedValuesOfOneKind) {
  EXPECT_EQ(type_of_keyed(20, 5, {"1", R"("x")"}), "v:struct<");
  EXPECT_EQ(type_of_keyed(20, 5, {"1", "2.5"}), "v:map<");
  EXPECT_EQ(type_of_keyed(20, 5, {R"("x")", R"("2026-01-31")"}), "v:map<");
  EXPECT_EQ(type_of_keyed(20, 5, {"[1]", "[]"}), "v:map<");
}

TEST(PlainTypes, AreUuidsAndMomentsWithoutZone) {
  ConvertOptions options;
  options.plain_types = true;
  const std::string uuid = R"("71c18690-ee42-490b-b1bb-54d8d101b5b9")";
  const auto out = convert(R"({"id":)" + uuid + R"(,"at":"2026-01-31T09:08:07"})" + "\n", options);
  EXPECT_EQ(out.schema, "id:string,at:timestamp_ntz");
  EXPECT_EQ(out.rows[0], R"({"id":)" + uuid + R"(,"at":"2026-01-31T09:08:07"})");
  EXPECT_THAT(out.files[0].bytes, testing::Not(testing::HasSubstr("ee42-490b")));
  const auto other = convert(R"({"id":"71C18690-EE42-490B-B1BB-54D8D101B5B9"})", options);
  EXPECT_EQ(other.rows[0], R"({"id":"71C18690-EE42-490B-B1BB-54D8D101B5B9"})");
}

TEST(PlainTypes, RescueWhatIsNoUuidLaterOn) {
  ConvertOptions options;
  options.plain_types = options.one_schema = true;
  options.infer_bytes = 10;
  const std::string first = R"({"id":"71c18690-ee42-490b-b1bb-54d8d101b5b9"})"
                            "\n";
  const auto out = convert(first + std::string(600'000, '\n') + R"({"id":"none"})", options);
  EXPECT_EQ(out.rows.back(), R"({"id":null,"_rescued_data":"{\"id\":\"none\"}"})");
}

TEST(FixedSchema, MakesAFaultOfWhatDoesNotFit) {
  ConvertOptions options;
  options.fixed = true;
  DataType user{.kind = TypeKind::kStruct, .fields = {field_of("id", TypeKind::kLong)}};
  options.schema = schema_of({field_of("a", TypeKind::kLong),
                              {.name = "user", .type = user},
                              {.name = "l", .type = list_of(TypeKind::kLong)}});
  const auto out = convert(R"({"a":1,"user":{"id":7},"l":[1,null]}
{"a":"x"}
{"a":2,"b":1}
{"user":{"name":"n"}}
{"a":1,"a":2}
{"l":[1,"x"]}
{"a":null,"unknown":null}
)",
                           options);
  EXPECT_EQ(out.schema, "a:long,user:struct<id:long>,l:array<long>");
  EXPECT_THAT(out.rows, testing::ElementsAre(R"({"a":1,"user":{"id":7},"l":[1,null]})",
                                             R"({"a":null,"user":null,"l":null})"));
  std::vector<std::string> reasons;
  for (const LineFault& fault : out.object.faults) {
    reasons.push_back(std::to_string(fault.line) + " " + fault.reason);
  }
  EXPECT_THAT(
      reasons,
      testing::ElementsAre(
          "2 column 6: column a is long, which cannot take this value, and the schema is fixed",
          "3 column 12: the table has no column b, and its schema is fixed",
          "4 column 17: the table has no column user.name, and its schema is fixed",
          "5 column 12: the key a comes twice",
          "6 column 6: column l is array<long>, which cannot take this value, and the schema is "
          "fixed"));
}

TEST(FixedSchema, MakesAFaultOfAKeysFieldThatDoesNotFit) {
  ConvertOptions options;
  options.fixed = true;
  options.schema = schema_of({field_of("day", TypeKind::kDate), field_of("n", TypeKind::kLong)});
  options.partition_by = {"day"};
  LinesToParquet convert(options);
  convert.begin_object({{"day", "someday"}});
  convert.write("{\"n\":1}\n{\"n\":2,\"day\":\"2026-01-31\"}\n");
  const ObjectRows rows = convert.end_object();
  EXPECT_EQ(rows.rows, 1u);
  ASSERT_EQ(rows.faults.size(), 1u);
  EXPECT_EQ(rows.faults[0].reason,
            "the object's key says \"day\":\"someday\", but column day is date, and the schema is "
            "fixed");
}

TEST(Widening, GoesFromByteToShortToIntegerAndNoFurther) {
  struct Step {
    TypeKind from;
    std::string value;
    std::string schema;
  };
  for (const Step& step :
       {Step{TypeKind::kByte, "127", "v:byte"}, Step{TypeKind::kByte, "-129", "v:short"},
        Step{TypeKind::kByte, "40000", "v:integer"}, Step{TypeKind::kShort, "-32769", "v:integer"},
        Step{TypeKind::kByte, "3000000000", "v:byte,_rescued_data:string"},
        Step{TypeKind::kInteger, "3000000000", "v:integer,_rescued_data:string"}}) {
    for (const std::uint64_t infer : {0u, 1u << 20}) {
      ConvertOptions options;
      options.infer_bytes = infer;
      options.schema = schema_of({field_of("v", step.from)});
      const auto out = convert("{\"v\":1}\n{\"v\":" + step.value + "}\n", options);
      EXPECT_EQ(out.schema, step.schema) << step.value;
      EXPECT_EQ(out.rescued, step.schema.find("rescued") != std::string::npos) << step.value;
    }
  }
}

TEST(Widening, DoesNotHappenToAFixedSchema) {
  ConvertOptions options;
  options.evolve = false;
  options.schema = schema_of({field_of("v", TypeKind::kByte)});
  const auto out = convert("{\"v\":300,\"w\":1}\n", options);
  EXPECT_EQ(out.schema, "v:byte,_rescued_data:string");
  EXPECT_EQ(out.rows.at(0), R"({"v":null,"_rescued_data":"{\"v\":300,\"w\":1}"})");
}

/// Keys that cannot be a column's name as they are.
struct KeyCase {
  const char* name;
  std::string line;
  std::string schema;
  std::string row;
};

class KeyTest : public testing::TestWithParam<KeyCase> {};

TEST_P(KeyTest, AlwaysFindsAPlaceForTheValue) {
  const auto out = convert(GetParam().line + "\n");
  EXPECT_EQ(out.schema, GetParam().schema);
  EXPECT_EQ(out.rows.at(0), GetParam().row);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, KeyTest,
    testing::Values(
        KeyCase{"Forbidden", R"({"a b":1,"c,d;{}()\n\t=":2})",
                "a%20b:long,c%2Cd%3B%7B%7D%28%29%0A%09%3D:long",
                R"({"a%20b":1,"c%2Cd%3B%7B%7D%28%29%0A%09%3D":2})"},
        KeyCase{"LooksRenamed", R"({"a%20b":1,"100%":2})", "a%2520b:long,100%:long",
                R"({"a%2520b":1,"100%":2})"},
        KeyCase{"Empty", R"({"":1})", "%:long", R"({"%":1})"},
        KeyCase{"Escaped", R"({"\u0061":1,"b\"":2})", "a:long,b\":long", R"({"a":1,"b\"":2})"},
        KeyCase{"Longer", R"({"a_key_of_more_than_thirty_one_bytes":1})",
                "a_key_of_more_than_thirty_one_bytes:long",
                R"({"a_key_of_more_than_thirty_one_bytes":1})"},
        KeyCase{"DiffersInCase", R"({"Id":1,"id":2,"in":{"X":1,"x":[2]}})",
                "Id:long,in:struct<X:long>,_rescued_data:string",
                R"({"Id":1,"in":{"X":1},"_rescued_data":"{\"id\":2,\"in.x\":[2]}"})"},
        KeyCase{"Twice", R"({"a":1,"a":2,"s":{"b":1,"b":"c"}})",
                "a:long,s:struct<b:string>,_rescued_data:string",
                R"({"a":1,"s":{"b":"1"},"_rescued_data":"{\"a\":2,\"s.b\":\"c\"}"})"},
        KeyCase{"NamedAsTheRescuedColumn", R"({"a":1,"_rescued_data":{"x":1}})",
                "a:long,_rescued_data:string",
                R"({"a":1,"_rescued_data":"{\"_rescued_data\":{\"x\":1}}"})"},
        KeyCase{"DotsInAPath", R"({"a.b":{"c":1,"C":2}})",
                "a.b:struct<c:long>,_rescued_data:string",
                R"({"a.b":{"c":1},"_rescued_data":"{\"a\\\\.b.C\":2}"})"},
        KeyCase{"LoneSurrogateInText", R"({"a":"\ud800","b":"\ud83d\ude00"})",
                "a:string,b:string,_rescued_data:string",
                R"({"a":null,"b":"😀","_rescued_data":"{\"a\":\"\\ud800\"}"})"},
        KeyCase{"LoneSurrogateInKey", R"({"a":1,"\udc00":2})", "a:long,_rescued_data:string",
                R"({"a":1,"_rescued_data":"{\"\\\\\\\\udc00\":2}"})"}),
    [](const auto& row) { return row.param.name; });

TEST(Evolution, NeverChangesAColumnThatIsThere) {
  ConvertOptions options;
  options.infer_bytes = 1;  // The columns are those of the first object.
  LinesToParquet convert(options);
  convert.begin_object();
  convert.write("{\"n\":1,\"t\":\"x\",\"s\":{\"a\":1}}\n");
  convert.end_object();
  convert.begin_object();
  convert.write("{\"n\":2.5,\"t\":3,\"s\":{\"a\":\"y\",\"b\":true}}\n{\"s\":[1],\"u\":null}\n");
  convert.end_object();
  const auto out = finish(convert);
  EXPECT_EQ(out.schema, "n:long,t:string,s:struct<a:long,b:boolean>,_rescued_data:string");
  EXPECT_THAT(
      out.rows,
      testing::ElementsAre(
          R"({"n":1,"t":"x","s":{"a":1,"b":null},"_rescued_data":null})",
          R"({"n":null,"t":"3","s":{"a":null,"b":true},"_rescued_data":"{\"n\":2.5,\"s.a\":\"y\"}"})",
          R"({"n":null,"t":null,"s":null,"_rescued_data":"{\"s\":[1]}"})"));
}

TEST(Evolution, MakesJsonTextOfWhatIsNestedBeyond32Levels) {
  std::string line = "1";
  for (int i = 0; i < 40; ++i) line = "{\"a\":" + line + "}";
  const auto out = convert(line);
  EXPECT_EQ(std::ranges::count(out.schema, '<'), 31);
  EXPECT_NE(out.rows.at(0).find(R"({\"a\":{\"a\":)"), std::string::npos);
}

TEST(Evolution, KnowsJsonTextAgainByItsMetadata) {
  const std::string lines = "{\"v\":1}\n{\"v\":true}\n";
  LinesToParquet first({});
  first.begin_object();
  first.write(lines);
  first.end_object();
  finish(first);
  ConvertOptions options;
  options.schema = first.schema();
  const auto out = convert("{\"v\":{\"a\": 1}}\n{\"v\":\"x\"}\n", options);
  EXPECT_THAT(out.rows, testing::ElementsAre(R"({"v":"{\"a\": 1}"})", R"({"v":"\"x\""})"));
}

}  // namespace
}  // namespace headrace
