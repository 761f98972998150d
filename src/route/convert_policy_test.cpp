#include "route/convert_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "route/row_filter.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string fault_of(auto convert) {
  try {
    convert();
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    return error.what();
  }
}

TEST(ConvertSns, APolicyOnAttributesIsAPatternOnTheirNames) {
  const auto made = convert_sns_policy(
      R"({"store":["example"],"event":[{"anything-but":"cancelled"}],
          "price":[{"numeric":[">=",100]}],"$or":[{"a":["x"]},{"b":[{"exists":false}]}]})",
      SnsScope::kAttributes, "meta.attributes");
  const RowFilter filter(made.pattern);
  EXPECT_TRUE(filter.matches(
      R"({"meta":{"attributes":{"store":"example","event":"placed","price":120}}})"));
  EXPECT_FALSE(filter.matches(
      R"({"meta":{"attributes":{"store":"example","event":"cancelled","price":120}}})"));
}

TEST(ConvertSns, APolicyOnTheBodyMayNest) {
  const auto made =
      convert_sns_policy(R"({"order":{"lines":{"sku":[{"prefix":"A-"}]}}})", SnsScope::kBody);
  EXPECT_TRUE(RowFilter(made.pattern).matches(R"({"order":{"lines":[{"sku":"A-1"}]}})"));
}

/// As `aws sns get-subscription-attributes` prints it, or a subscription of a template.
TEST(ConvertSns, TakesThePolicyOutOfASubscription) {
  const std::string inside =
      R"("FilterPolicy":"{\"order\":{\"id\":[\"x\"]}}","FilterPolicyScope":"MessageBody")";
  for (const std::string& json : {"{" + inside + "}", R"({"Attributes":{)" + inside + "}}"}) {
    const auto made = convert_sns_policy(json, SnsScope::kAttributes);
    EXPECT_EQ(made.pattern, R"({"order":{"id":["x"]}})");
  }
  EXPECT_EQ(convert_sns_policy(R"({"FilterPolicy":["x"]})", SnsScope::kAttributes).pattern,
            R"({"FilterPolicy":["x"]})")
      << "an attribute of that name";
  EXPECT_THAT(fault_of([&] {
                convert_sns_policy(R"({"FilterPolicy":"{\"a\":{\"b\":[1]}}"})",
                                   SnsScope::kAttributes);
              }),
              HasSubstr("a is an object, but attributes have no fields"));
}

TEST(ConvertSns, RefusesWhatIsNoPolicy) {
  const auto fault = [](std::string_view json, SnsScope scope) {
    return fault_of([&] { convert_sns_policy(json, scope); });
  };
  EXPECT_THAT(fault(R"({"order":{"id":["x"]}})", SnsScope::kAttributes),
              HasSubstr("order is an object, but attributes have no fields"));
  EXPECT_THAT(fault(R"({"store":"example"})", SnsScope::kBody), HasSubstr("field store"));
  EXPECT_THAT(fault("[]", SnsScope::kBody), HasSubstr("must be a JSON object"));
  EXPECT_THAT(fault("{", SnsScope::kBody), HasSubstr("SNS filter policy"));
}

constexpr std::string_view kNotifications = R"({
  "TopicConfigurations": [],
  "QueueConfigurations": [
    {"Id": "images", "QueueArn": "arn:aws:sqs:eu-central-1:123456789012:q",
     "Events": ["s3:ObjectCreated:*"],
     "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "images/"},
                                        {"Name": "suffix", "Value": ".jpg"}]}}},
    {"QueueArn": "arn:q2", "Events": ["s3:ObjectRemoved:Delete", "s3:ObjectTagging:*"]}],
  "EventBridgeConfiguration": {}})";

TEST(ConvertS3, MakesOnePatternOfEachConfiguration) {
  const auto made = convert_s3_notifications(kNotifications);
  ASSERT_THAT(made, SizeIs(2));
  EXPECT_EQ(made[0].name, "images arn:aws:sqs:eu-central-1:123456789012:q");
  EXPECT_EQ(made[0].pattern, R"({"detail-type":["Object Created"],"detail":{"object":{"key":)"
                             R"([{"wildcard":"images/*.jpg"}]}}})");
  EXPECT_THAT(made[0].notes, IsEmpty());
  EXPECT_EQ(made[1].pattern, R"({"detail-type":["Object Deleted","Object Tags Added",)"
                             R"("Object Tags Deleted"]})");
  EXPECT_THAT(made[1].notes, ElementsAre(HasSubstr("s3:ObjectRemoved:Delete")));
}

TEST(ConvertS3, TakesAFilterAlone) {
  for (const char* filter :
       {R"({"Key":{"FilterRules":[{"Name":"suffix","Value":".gz"}]}})",
        R"({"S3Key":{"FilterRules":[{"Name":"suffix","Value":".gz"}]}})",
        R"({"FilterRules":[{"Name":"suffix","Value":".gz"}]})",
        R"({"Filter":{"Key":{"FilterRules":[{"Name":"suffix","Value":".gz"}]}}})"}) {
    const auto made = convert_s3_notifications(filter);
    ASSERT_THAT(made, SizeIs(1));
    EXPECT_EQ(
        made[0].pattern,
        R"({"detail-type":["Object Created"],"detail":{"object":{"key":[{"suffix":".gz"}]}}})");
  }
}

TEST(ConvertS3, ReadsPlusAndPercentAsS3Does) {
  const auto made = convert_s3_notifications(
      R"({"FilterRules":[{"Name":"prefix","Value":"a+b%2Bc/"},{"Name":"suffix","Value":"100%"}]})");
  EXPECT_EQ(made[0].pattern, R"({"detail-type":["Object Created"],"detail":{"object":{"key":)"
                             R"([{"wildcard":"a b+c/*100%"}]}}})");
  EXPECT_THAT(made[0].notes, ElementsAre(HasSubstr(R"(prefix "a+b%2Bc/" is "a b+c/")")));
}

/// Both rules must hold of the key, each by itself.
TEST(ConvertS3, FitsKeysInWhichPrefixAndSuffixOverlap) {
  const std::string_view prefix = "ab*a";
  const std::string_view suffix = "a*ab";
  const auto made = convert_s3_notifications(fmt::format(
      R"({{"FilterRules":[{{"Name":"prefix","Value":"{}"}},{{"Name":"suffix","Value":"{}"}}]}})",
      prefix, suffix));
  const RowFilter filter(made[0].pattern);
  for (const std::string key : {"ab*a*ab", "ab*aa*ab", "ab*axa*ab", "ab*a", "a*ab", "ab*ab", "x"}) {
    const bool both = key.starts_with(prefix) && key.ends_with(suffix);
    EXPECT_EQ(
        filter.matches(fmt::format(
            R"({{"detail-type":"Object Created","detail":{{"object":{{"key":"{}"}}}}}})", key)),
        both)
        << key;
  }
}

TEST(ConvertS3, RefusesWhatItDoesNotKnow) {
  const auto fault = [](std::string_view json) {
    return fault_of([&] { convert_s3_notifications(json); });
  };
  EXPECT_THAT(fault(R"({"Events":["s3:ObjectPainted:*"]})"), HasSubstr("s3:ObjectPainted:*"));
  EXPECT_THAT(fault(R"({"Events":["s3:ObjectCreated:"]})"), HasSubstr("no event has the name"));
  EXPECT_THAT(fault(R"({"FilterRules":[{"Name":"regex","Value":"x"}]})"),
              HasSubstr("a prefix or a suffix, not regex"));
  EXPECT_THAT(fault(R"({"FilterRules":[{"Name":"prefix"}]})"), HasSubstr("a Name and a Value"));
  EXPECT_THAT(fault(R"({"Filter":{}})"), HasSubstr("FilterRules"));
  EXPECT_THAT(fault("{}"), HasSubstr("neither Events nor a Filter"));
  EXPECT_THAT(fault("<NotificationConfiguration/>"), HasSubstr("S3 notifications"));
}

}  // namespace
}  // namespace headrace
