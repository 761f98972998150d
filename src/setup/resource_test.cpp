#include "setup/resource.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::setup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Resource kBucket{Kind::kBucket, "lake", "inbox"};
const Resource kQueue{Kind::kQueue, "http://sqs eu", "landing", "", {{"visibility", "60s"}}};
const Resource kRule{Kind::kRule,
                     "lake",
                     "inbox",
                     "headrace-s-landing",
                     {{"prefix", "in/"}, {"to", "queue landing"}}};

/// What was found, by the key of the resource; what is not said is not there.
std::map<std::string, Seen> seen(std::vector<std::pair<Resource, Seen>> found) {
  std::map<std::string, Seen> all;
  for (const Resource& resource : {kBucket, kQueue, kRule}) all[resource.key()];
  for (auto& [resource, one] : found) all[resource.key()] = std::move(one);
  return all;
}

std::vector<std::string> lines(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Change& change : plan.changes) lines.push_back(change.text());
  return lines;
}

TEST(Difference, OfNothingThereIsAllThatIsWantedInTheOrderOfMaking) {
  const Plan plan = diff({kBucket, kQueue, kRule}, seen({}), {});
  EXPECT_THAT(lines(plan),
              ElementsAre("+ bucket lake://inbox", "+ queue landing: visibility 60s",
                          "+ notification headrace-s-landing of lake://inbox: prefix in/, to queue "
                          "landing"));
  EXPECT_EQ(plan.summary(), "3 to add, 0 to change, 0 to remove.");
}

TEST(Difference, OfWhatIsThereAsWantedIsNothing) {
  const Plan plan = diff(
      {kBucket, kQueue},
      seen({{kBucket, {.there = true}}, {kQueue, {true, {{"visibility", "60s"}, {"keep", "4d"}}}}}),
      {});
  EXPECT_THAT(plan.changes, IsEmpty());
}

TEST(Difference, NamesEachSettingThatIsOtherThanWanted) {
  const Plan plan = diff({kQueue}, seen({{kQueue, {true, {{"visibility", "30s"}}}}}), {});
  EXPECT_THAT(lines(plan), ElementsAre("~ queue landing: visibility 30s -> 60s"));
}

TEST(Difference, RemovesWhatWasMadeAndIsWantedNoLonger) {
  const Plan plan = diff({kBucket}, seen({{kBucket, {true}}, {kQueue, {true}}, {kRule, {true}}}),
                         {{kBucket, true}, {kQueue, true}, {kRule, false}});
  EXPECT_THAT(lines(plan),
              ElementsAre("- notification headrace-s-landing of lake://inbox", "- queue landing"));
}

TEST(Difference, LeavesAloneWhatOthersMade) {
  const Plan plan = diff({}, seen({{kQueue, {true}}}), {});
  EXPECT_THAT(plan.changes, IsEmpty());
}

TEST(Difference, ForgetsWhatWasMadeAndIsGone) {
  EXPECT_THAT(diff({}, seen({}), {{kQueue, true}}).changes, IsEmpty());
}

TEST(Difference, NeverRemovesABucketButSaysThatItStays) {
  const Plan plan = diff({}, seen({{kBucket, {true}}}), {{kBucket, true}});
  EXPECT_THAT(plan.changes, IsEmpty());
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("bucket lake://inbox was made by apply")));
}

TEST(Difference, CarriesWhatStandsInTheWay) {
  const Plan plan = diff({kRule}, seen({{kRule, {.problem = "overlaps with `theirs`"}}}), {});
  EXPECT_THAT(plan.problems, ElementsAre("overlaps with `theirs`"));
}

TEST(Difference, NeverShowsTheTokenInAUrl) {
  const Resource topic{
      Kind::kTopic, "store lake", "t", "", {{"push_to", "http://h:1/in?token=secret"}}};
  auto all = seen({{topic, {}}});
  EXPECT_THAT(lines(diff({topic}, all, {})), ElementsAre("+ topic t: push_to http://h:1/in?***"));
  all[topic.key()] = {true, {{"push_to", "http://h:1/in?token=old"}}};
  EXPECT_THAT(lines(diff({topic}, all, {})),
              ElementsAre("~ topic t: push_to http://h:1/in?*** -> http://h:1/in?***"));
}

}  // namespace
}  // namespace headrace::setup
