#include "store/s3/fields.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace::s3 {
namespace {

TEST(MetadataInHeaders, ComesBackAsItWas) {
  for (const std::string value : {"plain", "a b=%", "", " at the ends ", "two  spaces", "line\nend",
                                  "\xc3\xa9", "=?UTF-8?B?eA==?=", "a =?", "\x01\xff"}) {
    const std::string header = metadata_to_header(value);
    EXPECT_FALSE(header.empty());
    for (const char c : header) EXPECT_TRUE(c >= ' ' && c <= '~') << value;
    EXPECT_EQ(metadata_from_header(header), value);
  }
  EXPECT_EQ(metadata_to_header("a b=%"), "a b=%");
}

/// What other writers and Amazon itself make of text that is no ASCII.
TEST(MetadataInHeaders, ReadsEncodedWordsOfOthers) {
  const std::pair<const char*, const char*> rows[] = {
      {"=?UTF-8?B?w6k=?=", "\xc3\xa9"},
      {"=?utf-8?q?=C3=A9_a?=", "\xc3\xa9 a"},
      {"=?UTF-8?B?YQ==?= =?UTF-8?B?Yg==?=", "ab"},
      {"=?UTF-8?B?broken?=", "=?UTF-8?B?broken?="},
      {"=?ISO-8859-1?Q?a?=", "=?ISO-8859-1?Q?a?="},
      {"=?UTF-8?", "=?UTF-8?"},
      {"=?UTF-8?B", "=?UTF-8?B"},
      {"tail =?UTF-8?B?YQ==?=", "tail =?UTF-8?B?YQ==?="},
  };
  for (const auto& [header, value] : rows) EXPECT_EQ(metadata_from_header(header), value);
}

TEST(MetadataInHeaders, HasNamesThatHeadersCanHave) {
  Headers headers;
  add_metadata(headers, {{"headrace-by", "r"}});
  EXPECT_EQ(headers.get("X-Amz-Meta-Headrace-By"), "r");
  EXPECT_THROW(add_metadata(headers, {{"two words", "r"}}), Error);
  EXPECT_THROW(add_metadata(headers, {{"", "r"}}), Error);
  EXPECT_EQ(read_metadata({{"X-AMZ-Meta-Color", "blue"}, {"ETag", "x"}}),
            (Metadata{{"color", "blue"}}));
}

TEST(HttpDate, IsReadAndWritten) {
  const auto time = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(time);
  EXPECT_EQ(format_time(*time), "1994-11-06T08:49:37Z");
  EXPECT_EQ(format_http_date(*time), "Sun, 06 Nov 1994 08:49:37 GMT");
  for (const char* none :
       {"", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nix 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "1994-11-06T08:49:37Z"}) {
    EXPECT_EQ(parse_http_date(none), std::nullopt) << none;
  }
}

TEST(EtagInHeaders, LosesItsQuotes) {
  EXPECT_EQ(unquoted("\"abc-2\"").value, "abc-2");
  EXPECT_EQ(unquoted("W/\"abc\"").value, "abc");
  EXPECT_EQ(unquoted("abc").value, "abc");
  EXPECT_EQ(quoted(Etag{"abc"}), "\"abc\"");
}

TEST(ObjectInfoInHeaders, KnowsTheWholeSizeFromAPart) {
  const Headers part{{"ETag", "\"e\""},
                     {"Content-Length", "5"},
                     {"Content-Range", "bytes 5-9/100"},
                     {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  const ObjectInfo info = read_info({"b", "k"}, part);
  EXPECT_EQ(info.size, 100u);
  EXPECT_EQ(info.etag, Etag{"e"});
  EXPECT_EQ(format_time(info.modified), "1994-11-06T08:49:37Z");
  EXPECT_THROW(read_info({"b", "k"}, {{"Content-Length", "5"}}), Error);
}

TEST(Tagging, EncodesNamesAndValues) {
  EXPECT_EQ(tagging_text({{"a b", "1&2"}, {"c", ""}}), "a%20b=1%262&c=");
}

}  // namespace
}  // namespace headrace::s3
