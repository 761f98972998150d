// The documents that belong to many: policies, notification configurations, and our own state.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "setup/notification.h"
#include "setup/policy.h"
#include "setup/state.h"

namespace headrace::setup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kTheirs =
    R"({"Version":"2008-10-17","Id":"x","Statement":[{"Sid":"theirs","Effect":"Deny","Principal":"*"}]})";
const Permission kOurs{"ours", "arn:aws:sqs:eu:123:q", "arn:aws:s3:::inbox"};

TEST(Policy, KeepsTheStatementsOfOthers) {
  const std::string both = with_permission(kTheirs, kOurs);
  EXPECT_THAT(both, HasSubstr(R"({"Sid":"theirs","Effect":"Deny","Principal":"*"})"));
  EXPECT_EQ(sender_of(both, "ours"), "arn:aws:s3:::inbox");
  EXPECT_EQ(without_permission(both, "ours"), kTheirs);
}

TEST(Policy, LetsOnlyTheBucketOfTheSameAccountSend) {
  EXPECT_EQ(with_permission("", kOurs),
            R"({"Version":"2012-10-17","Statement":[{"Sid":"ours","Effect":"Allow",)"
            R"("Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage",)"
            R"("Resource":"arn:aws:sqs:eu:123:q","Condition":{"ArnEquals":)"
            R"({"aws:SourceArn":"arn:aws:s3:::inbox"},"StringEquals":)"
            R"({"aws:SourceAccount":"123"}}}]})");
}

TEST(Policy, LetsATopicSendToAQueue) {
  const std::string policy =
      with_permission("", {"t", "arn:aws:sqs:eu:1:q", "arn:aws:sns:eu:1:topic"});
  EXPECT_THAT(policy, HasSubstr(R"("Service":"sns.amazonaws.com")"));
  EXPECT_THAT(policy, Not(HasSubstr("SourceAccount")));
}

TEST(Policy, HasOneStatementOfAnIdHoweverOftenItIsWritten) {
  const std::string once = with_permission("", kOurs);
  EXPECT_EQ(with_permission(once, kOurs), once);
  EXPECT_EQ(without_permission(once, "ours"), "");
  EXPECT_EQ(sender_of("", "ours"), std::nullopt);
}

TEST(Policy, ThatIsNoJsonIsRefusedAndNotReplaced) {
  EXPECT_THROW(with_permission("<xml/>", kOurs), Error);
}

constexpr std::string_view kRules =
    R"(<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)"
    R"(<TopicConfiguration><Id>a</Id><Topic>arn:t</Topic><Event>s3:ObjectRemoved:*</Event>)"
    R"(<Filter><S3Key><FilterRule><Name>Prefix</Name><Value>x &amp; y/</Value></FilterRule>)"
    R"(</S3Key><S3Metadata><FilterRule/></S3Metadata></Filter></TopicConfiguration>)"
    R"(<EventBridgeConfiguration/></NotificationConfiguration>)";

TEST(Notification, KeepsTheRulesOfOthersAsTheyAre) {
  const Rule ours{"ours", "arn:q", {"s3:ObjectCreated:*"}, "in/", ".json"};
  const std::string xml = with_rule(kRules, ours);
  EXPECT_THAT(xml, HasSubstr("<S3Metadata><FilterRule/></S3Metadata>"));
  EXPECT_THAT(xml, HasSubstr("</TopicConfiguration><QueueConfiguration><Id>ours</Id>"));
  const auto rules = read_rules(xml);
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].prefix, "x & y/");
  EXPECT_TRUE(rules[0].to_topic);
  EXPECT_EQ(rules[1].suffix, ".json");
  EXPECT_EQ(without_rule(xml, "ours"), kRules);
}

TEST(Notification, StartsFromNothing) {
  const Rule ours{"ours", "arn:t", {"s3:ObjectCreated:*"}, "", "", true};
  EXPECT_EQ(with_rule("", ours),
            "<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<TopicConfiguration><Id>ours</Id><Topic>arn:t</Topic>"
            "<Event>s3:ObjectCreated:*</Event></TopicConfiguration></NotificationConfiguration>");
}

TEST(Notification, ThatIsEmptyMayHaveAnotherName) {
  const std::string xml = with_rule("<GetBucketNotificationResponse xmlns=\"x\"/>", {"ours", "q"});
  EXPECT_THAT(xml, testing::StartsWith("<NotificationConfiguration "));
}

TEST(Notification, ThatIsBrokenIsNotReplaced) {
  EXPECT_THROW(with_rule("<NotificationConfiguration><Queue", {}), Error);
}

/// Every row is a pair of rules, and whether one event of one key could be meant by both.
struct OverlapCase {
  const char* name;
  Rule one;
  Rule other;
  bool overlaps;
};

class OverlapTest : public testing::TestWithParam<OverlapCase> {};

TEST_P(OverlapTest, IsSeenFromBothSides) {
  EXPECT_EQ(overlap(GetParam().one, GetParam().other), GetParam().overlaps);
  EXPECT_EQ(overlap(GetParam().other, GetParam().one), GetParam().overlaps);
}

Rule rule(std::string event, std::string prefix, std::string suffix) {
  return {"", "", {std::move(event)}, std::move(prefix), std::move(suffix)};
}

INSTANTIATE_TEST_SUITE_P(
    Pairs, OverlapTest,
    testing::Values(OverlapCase{"TheSame", rule("s3:ObjectCreated:*", "a/", ""),
                                rule("s3:ObjectCreated:*", "a/", ""), true},
                    OverlapCase{"OnePrefixInTheOther", rule("s3:ObjectCreated:*", "a/", ""),
                                rule("s3:ObjectCreated:Put", "a/b/", ".json"), true},
                    OverlapCase{"OtherPrefixes", rule("s3:ObjectCreated:*", "a/", ""),
                                rule("s3:ObjectCreated:*", "b/", ""), false},
                    OverlapCase{"OtherSuffixes", rule("s3:ObjectCreated:*", "", ".csv"),
                                rule("s3:ObjectCreated:*", "", ".json"), false},
                    OverlapCase{"OneSuffixInTheOther", rule("s3:ObjectCreated:*", "", ".json"),
                                rule("s3:ObjectCreated:*", "", "x.json"), true},
                    OverlapCase{"OtherEvents", rule("s3:ObjectCreated:*", "", ""),
                                rule("s3:ObjectRemoved:*", "", ""), false}),
    [](const auto& row) { return row.param.name; });

TEST(SetupState, ReadsWhatItWrote) {
  const std::vector<Made> made{
      {{Kind::kBucket, "lake", "inbox"}, true},
      {{Kind::kRule, "lake", "inbox", "headrace-s-l", {}, "store lake"}, false},
  };
  const std::string text = write_state("s", made);
  EXPECT_EQ(text,
            R"({"version":1,"stack":"s","made":[{"kind":"bucket","home":"lake","name":"inbox",)"
            R"("sure":true},{"kind":"notification","home":"lake","name":"inbox",)"
            R"("id":"headrace-s-l","via":"store lake","sure":false}]})"
            "\n");
  const auto read = read_state(text);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[1].resource.key(), made[1].resource.key());
  EXPECT_EQ(read[1].resource.via, "store lake");
  EXPECT_FALSE(read[1].sure);
}

TEST(SetupState, OfANewerProgramOrDamagedIsRefused) {
  EXPECT_THROW(read_state(R"({"version":2,"made":[]})"), Error);
  EXPECT_THROW(read_state("{}"), Error);
  EXPECT_THROW(read_state(R"({"version":1,"made":[{"kind":"moon"}]})"), Error);
}

}  // namespace
}  // namespace headrace::setup
