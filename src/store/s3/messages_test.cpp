#include "store/s3/messages.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace::s3 {
namespace {

std::string list_xml(std::string_view encoding, std::string_view key, std::string_view prefix) {
  return fmt::format(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>{}
<IsTruncated>true</IsTruncated><NextContinuationToken>t+/=</NextContinuationToken>
<Contents><Key>{}</Key><LastModified>2026-01-31T09:08:07.123Z</LastModified>
<ETag>&quot;e-2&quot;</ETag><Size>5</Size></Contents>
<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes></ListBucketResult>)",
                     encoding, key, prefix);
}

TEST(ListMessage, TellsObjectsPrefixesAndWhereToGoOn) {
  const ListAnswer answer = parse_list(list_xml("", "a b", "p/"), "b");
  ASSERT_EQ(answer.objects.size(), 1u);
  EXPECT_EQ(answer.objects[0].key, (ObjectKey{"b", "a b"}));
  EXPECT_EQ(answer.objects[0].etag, Etag{"e-2"});
  EXPECT_EQ(answer.objects[0].size, 5u);
  EXPECT_EQ(format_time(answer.objects[0].modified), "2026-01-31T09:08:07Z");
  EXPECT_THAT(answer.prefixes, testing::ElementsAre("p/"));
  EXPECT_TRUE(answer.truncated);
  EXPECT_EQ(answer.next_token, "t+/=");
}

/// Stores differ in what they escape, and some do not escape although asked to.
TEST(ListMessage, DecodesKeysOnlyIfTheAnswerSaysThatTheyAreEncoded) {
  const char* encoded = "<EncodingType>url</EncodingType>";
  EXPECT_EQ(parse_list(list_xml(encoded, "a%2Fb+c%2Bd%20e/f", "x"), "b").objects[0].key.path,
            "a/b c+d e/f");
  EXPECT_EQ(parse_list(list_xml("", "a%2Fb+c", "x"), "b").objects[0].key.path, "a%2Fb+c");
  EXPECT_EQ(parse_list(list_xml(encoded, "x", "p%2Bq/"), "b").prefixes[0], "p+q/");
  EXPECT_EQ(parse_list(list_xml("", " ", "x"), "b").objects[0].key.path, " ");
}

TEST(AnyMessage, ThatIsBrokenIsTransient) {
  const std::string whole = list_xml("", "k", "p/");
  for (const std::string& xml : {whole.substr(0, whole.size() / 2), std::string(),
                                 std::string("<html></html>"), std::string("nonsense")}) {
    try {
      parse_list(xml, "b");
      ADD_FAILURE() << xml;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    }
  }
}

TEST(ErrorMessage, IsFoundInEitherWrapping) {
  const auto plain = parse_error(
      "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->code, "NoSuchKey");
  EXPECT_EQ(plain->text, "gone");
  const auto wrapped = parse_error(
      "<ErrorResponse><Error><Code>Throttling</Code></Error><RequestId>1</RequestId>"
      "</ErrorResponse>");
  ASSERT_TRUE(wrapped);
  EXPECT_EQ(wrapped->code, "Throttling");
  EXPECT_EQ(parse_error("<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"), std::nullopt);
  EXPECT_EQ(parse_error("   <Error><Code>X</Code>"), std::nullopt);
  EXPECT_EQ(parse_error(""), std::nullopt);
}

TEST(VersionsMessage, TellsVersionsFromMarks) {
  const VersionsAnswer answer = parse_versions(
      "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
      "<NextVersionIdMarker>v1</NextVersionIdMarker>"
      "<DeleteMarker><Key>k</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest></DeleteMarker>"
      "<Version><Key>k</Key><VersionId>v1</VersionId><Size>3</Size><ETag>\"e\"</ETag></Version>"
      "</ListVersionsResult>",
      "b");
  ASSERT_EQ(answer.versions.size(), 2u);
  EXPECT_TRUE(answer.versions[0].is_delete_marker);
  EXPECT_TRUE(answer.versions[0].is_latest);
  EXPECT_EQ(answer.versions[1].version, "v1");
  EXPECT_EQ(answer.versions[1].size, 3u);
  EXPECT_TRUE(answer.truncated);
  EXPECT_EQ(answer.next_key, "k");
  EXPECT_EQ(answer.next_version, "v1");
}

TEST(WrittenMessages, EscapeWhatXmlNeedsEscaped) {
  EXPECT_THAT(delete_xml({{"a<b>&c", ""}, {"d", "v1"}}),
              testing::HasSubstr("<Key>a&lt;b&gt;&amp;c</Key>"));
  EXPECT_THAT(delete_xml({{"d", "v1"}}), testing::HasSubstr("<VersionId>v1</VersionId>"));
  const Tags tags{{"a&b", "<"}, {"c", ""}};
  EXPECT_EQ(parse_tagging(tagging_xml(tags)), tags);
  EXPECT_THAT(complete_xml({{1, Etag{"e"}, 5, {}}}),
              testing::HasSubstr("<Part><ETag>\"e\"</ETag><PartNumber>1</PartNumber></Part>"));
}

TEST(DeleteMessage, CountsAMissingKeyAsDone) {
  const auto refused = parse_delete_result(
      "<DeleteResult><Error><Key>a</Key><Code>NoSuchKey</Code></Error>"
      "<Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>");
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].path, "b");
  EXPECT_EQ(refused[0].code, "AccessDenied");
}

}  // namespace
}  // namespace headrace::s3
