#include "table/delta/partition.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "table/delta/schema_json.h"

namespace headrace::delta {
namespace {

using std::string;

/// One value in the four ways it is spelled.
struct SpellingCase {
  const char* name;
  const char* type;
  std::optional<string> given;
  std::optional<string> value;  ///< In partitionValues.
  string folder;                ///< In the store's key.
  string path;                  ///< In add.path.
};

class PartitionSpellingTest : public testing::TestWithParam<SpellingCase> {};

TEST_P(PartitionSpellingTest, HasFourFormsAndTheyLeadBack) {
  const SpellingCase& row = GetParam();
  const auto value = normal_partition_value("c", *parse_primitive(row.type), row.given);
  EXPECT_EQ(value, row.value);
  EXPECT_EQ(partition_folder("c", value), "c=" + row.folder);
  EXPECT_EQ(encode_path("c=" + row.folder), "c=" + row.path);
  EXPECT_EQ(decode_path("c=" + row.path), "c=" + row.folder);
  EXPECT_EQ(normal_partition_value("c", *parse_primitive(row.type), value), value);
}

constexpr const char* kNull = "__HIVE_DEFAULT_PARTITION__";

INSTANTIATE_TEST_SUITE_P(
    Text, PartitionSpellingTest,
    testing::Values(
        SpellingCase{"Plain", "string", "abc", "abc", "abc", "abc"},
        SpellingCase{"Null", "string", std::nullopt, std::nullopt, kNull, kNull},
        SpellingCase{"EmptyIsNull", "string", "", std::nullopt, kNull, kNull},
        SpellingCase{"TheNullFolderAsValue", "string", kNull, kNull, kNull, kNull},
        SpellingCase{"Slash", "string", "US/East", "US/East", "US%2FEast", "US%252FEast"},
        SpellingCase{"Backslash", "string", "a\\b", "a\\b", "a%5Cb", "a%255Cb"},
        SpellingCase{"Space", "string", "New York", "New York", "New York", "New%20York"},
        SpellingCase{"Colon", "string", "10:30", "10:30", "10%3A30", "10%253A30"},
        SpellingCase{"Percent", "string", "100%", "100%", "100%25", "100%2525"},
        SpellingCase{"LooksEscaped", "string", "a%20b", "a%20b", "a%2520b", "a%252520b"},
        SpellingCase{"Equals", "string", "a=b", "a=b", "a%3Db", "a%253Db"},
        SpellingCase{"QuestionAndHash", "string", "a?b#c", "a?b#c", "a%3Fb%23c", "a%253Fb%2523c"},
        SpellingCase{"Quotes", "string", "\"it's\"", "\"it's\"", "%22it%27s%22",
                     "%2522it%2527s%2522"},
        SpellingCase{"Braces", "string", "{x}", "{x}", "%7Bx}", "%257Bx%7D"},
        SpellingCase{"Brackets", "string", "[1]", "[1]", "%5B1%5D", "%255B1%255D"},
        SpellingCase{"AngleAndPipe", "string", "<a|b>", "<a|b>", "<a|b>", "%3Ca%7Cb%3E"},
        SpellingCase{"Caret", "string", "^`", "^`", "%5E`", "%255E%60"},
        SpellingCase{"Controls", "string", "a\tb\nc\x7F", "a\tb\nc\x7F", "a%09b%0Ac%7F",
                     "a%2509b%250Ac%257F"},
        SpellingCase{"Unicode", "string", "Zürich", "Zürich", "Zürich", "Z%C3%BCrich"},
        SpellingCase{"BeyondTheBasicPlane", "string", "\U0001F600", "\U0001F600", "\U0001F600",
                     "%F0%9F%98%80"},
        SpellingCase{"UnreservedStays", "string", "a-b_c.d~e!f$g&h(i)j+k,l;m@n",
                     "a-b_c.d~e!f$g&h(i)j+k,l;m@n", "a-b_c.d~e!f$g&h(i)j+k,l;m@n",
                     "a-b_c.d~e!f$g&h(i)j+k,l;m@n"}),
    [](const auto& row) { return row.param.name; });

TEST(PlainFolderTest, NeedsNoEscapeAnywhere) {
  const auto folder = [](std::string value) { return plain_folder(partition_folder("c", value)); };
  EXPECT_EQ(folder("abc-1_2.3"), "c=abc-1_2.3");
  EXPECT_EQ(folder("US/East"), "c=US%2FEast");
  EXPECT_EQ(folder("100% ü~}&"), "c=100%25%20%C3%BC%7E%7D%26");
  EXPECT_EQ(plain_folder(partition_folder("täg", std::nullopt)),
            "t%C3%A4g=__HIVE_DEFAULT_PARTITION__");
  // Whoever decodes the folder once has the value.
  EXPECT_EQ(decode_path(folder("a%20b {}[]^`\"'#?")), "c=a%20b {}[]^`\"'#?");
}

INSTANTIATE_TEST_SUITE_P(
    Typed, PartitionSpellingTest,
    testing::Values(
        SpellingCase{"Boolean", "boolean", "true", "true", "true", "true"},
        SpellingCase{"Byte", "byte", "-128", "-128", "-128", "-128"},
        SpellingCase{"IntegerWithZeros", "integer", "007", "7", "7", "7"},
        SpellingCase{"IntegerWithPlus", "integer", "+7", "7", "7", "7"},
        SpellingCase{"Long", "long", "9223372036854775807", "9223372036854775807",
                     "9223372036854775807", "9223372036854775807"},
        SpellingCase{"DoubleWhole", "double", "123", "123.0", "123.0", "123.0"},
        SpellingCase{"DoubleLarge", "double", "1e7", "1.0E7", "1.0E7", "1.0E7"},
        SpellingCase{"DoubleJustPlain", "double", "9999999", "9999999.0", "9999999.0", "9999999.0"},
        SpellingCase{"DoubleSmall", "double", "0.00025", "2.5E-4", "2.5E-4", "2.5E-4"},
        SpellingCase{"DoubleJustPlainSmall", "double", "0.001", "0.001", "0.001", "0.001"},
        SpellingCase{"DoubleNegativeZero", "double", "-0.0", "-0.0", "-0.0", "-0.0"},
        SpellingCase{"FloatShortest", "float", "0.1", "0.1", "0.1", "0.1"},
        SpellingCase{"NotANumber", "double", "NaN", "NaN", "NaN", "NaN"},
        SpellingCase{"Infinite", "double", "-Infinity", "-Infinity", "-Infinity", "-Infinity"},
        SpellingCase{"DecimalFullScale", "decimal(10,3)", "1.5", "1.500", "1.500", "1.500"},
        SpellingCase{"DecimalZeros", "decimal(3,1)", "-00.10", "-0.1", "-0.1", "-0.1"},
        SpellingCase{"DecimalNoScale", "decimal(5,0)", "12", "12", "12", "12"},
        SpellingCase{"Date", "date", "2024-02-29", "2024-02-29", "2024-02-29", "2024-02-29"},
        SpellingCase{"TimestampIso", "timestamp", "2024-06-15T19:30:45Z",
                     "2024-06-15T19:30:45.000000Z", "2024-06-15T19%3A30%3A45.000000Z",
                     "2024-06-15T19%253A30%253A45.000000Z"},
        SpellingCase{"TimestampAsSparkOnceDid", "timestamp", "2024-06-15 19:30:45.12",
                     "2024-06-15T19:30:45.120000Z", "2024-06-15T19%3A30%3A45.120000Z",
                     "2024-06-15T19%253A30%253A45.120000Z"},
        SpellingCase{"TimestampNtz", "timestamp_ntz", "2024-06-15T12:30:45",
                     "2024-06-15 12:30:45.000000", "2024-06-15 12%3A30%3A45.000000",
                     "2024-06-15%2012%253A30%253A45.000000"}),
    [](const auto& row) { return row.param.name; });

struct BadValueCase {
  const char* type;
  string value;
};
class BadPartitionValueTest : public testing::TestWithParam<BadValueCase> {};

TEST_P(BadPartitionValueTest, IsRefusedNamingTheColumn) {
  try {
    normal_partition_value("country", *parse_primitive(GetParam().type), GetParam().value);
    FAIL() << "taken: " << GetParam().value;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_NE(string(error.what()).find("country"), string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Values, BadPartitionValueTest,
    testing::Values(BadValueCase{"boolean", "yes"}, BadValueCase{"byte", "128"},
                    BadValueCase{"integer", "1.0"}, BadValueCase{"integer", "2147483648"},
                    BadValueCase{"long", "1 "}, BadValueCase{"double", "1,5"},
                    BadValueCase{"double", "inf"}, BadValueCase{"decimal(4,2)", "1.234"},
                    BadValueCase{"decimal(4,2)", "123"}, BadValueCase{"decimal(4,2)", "."},
                    BadValueCase{"date", "2023-02-29"}, BadValueCase{"date", "2024-06-15T00:00:00"},
                    BadValueCase{"timestamp", "yesterday"},
                    BadValueCase{"timestamp_ntz", "2024-06-15T12:30:45Z"},
                    BadValueCase{"string", "\xFF"}));

TEST(PartitionFolder, EscapesTheColumnToo) { EXPECT_EQ(partition_folder("a/b", "1"), "a%2Fb=1"); }

TEST(PartitionFolder, RefusesANulByte) {
  EXPECT_THROW(partition_folder("c", string("a\0b", 3)), Error);
}

TEST(DecodePath, TakesNonAsciiRawAndEscaped) {
  EXPECT_EQ(decode_path("c=Zürich/f"), "c=Zürich/f");
  EXPECT_EQ(decode_path("c=Z%C3%BCrich/f"), "c=Zürich/f");
  EXPECT_EQ(decode_path("c=Z%c3%bcrich/f"), "c=Zürich/f");
}

TEST(DecodePath, DecodesExactlyOnce) { EXPECT_EQ(decode_path("a%2525b"), "a%25b"); }

TEST(DecodePath, LeavesAPercentSignThatBeginsNoEscape) {
  EXPECT_EQ(decode_path("100%/f%zz%2"), "100%/f%zz%2");
}

TEST(DecodePath, SeesALocalFileUnderBothItsSpellings) {
  EXPECT_EQ(decode_path("file:///a/b%20c"), "/a/b c");
  EXPECT_EQ(decode_path("file:/a/b"), "/a/b");
  EXPECT_EQ(decode_path("/a/b"), "/a/b");
}

TEST(AbsolutePath, BeginsWithASlashOrAScheme) {
  EXPECT_TRUE(is_absolute_path("/a"));
  EXPECT_TRUE(is_absolute_path("s3://bucket/a"));
  EXPECT_FALSE(is_absolute_path("a/b"));
  EXPECT_FALSE(is_absolute_path("at=10%3A30/x"));
  EXPECT_FALSE(is_absolute_path("c=a://b"));
}

}  // namespace
}  // namespace headrace::delta
