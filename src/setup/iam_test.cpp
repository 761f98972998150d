#include "setup/iam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::setup {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(IamPolicy, AddsUpWhatIsAllowedOnOneThing) {
  IamPolicy policy;
  policy.allow(objects_arn("b", "in/"), {"s3:GetObject"});
  policy.allow(objects_arn("b", "in/"), {"s3:PutObject"});
  EXPECT_EQ(policy.json(), R"({
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "s3:GetObject",
        "s3:PutObject"
      ],
      "Resource": [
        "arn:aws:s3:::b/in/*"
      ]
    }
  ]
}
)");
}

TEST(IamPolicy, ListsOnlyThePrefixesThatAreNeeded) {
  IamPolicy policy;
  policy.allow_list("b", "in/");
  EXPECT_THAT(policy.json(), HasSubstr("\"s3:prefix\": [\n        \"in/*\""));
  policy.allow_list("b", "");
  EXPECT_THAT(policy.json(), Not(HasSubstr("s3:prefix")));
}

TEST(IamPolicy, OfSettingUpNamesQueuesAndTopicsOfTheirRegion) {
  Wanted wanted;
  const std::string home = "https://sqs.eu-west-1.amazonaws.com eu-west-1";
  wanted.resources = {{Kind::kBucket, "lake", "b"},
                      {Kind::kQueue, home, "q"},
                      {Kind::kTopic, home, "t"},
                      {Kind::kTopic, "store lake", "of-ceph"}};
  wanted.state = SetupStateStanza{"lake", "b"};
  IamPolicy policy;
  allow_setup(policy, wanted, "demo");
  const std::string json = policy.json();
  EXPECT_THAT(json, HasSubstr("arn:aws:sqs:eu-west-1:*:q"));
  EXPECT_THAT(json, HasSubstr("arn:aws:sns:eu-west-1:*:t"));
  EXPECT_THAT(json, HasSubstr("arn:aws:s3:::b/.headrace/demo/*"));
  EXPECT_THAT(json, Not(HasSubstr("of-ceph")));
}

}  // namespace
}  // namespace headrace::setup
