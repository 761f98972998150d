#include "setup/wanted.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace::setup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Needs needs_with(Needs::Source source) {
  Needs needs{.stack = "lake.1", .buckets = {{"prod", "inbox"}}};
  needs.sources.push_back(std::move(source));
  return needs;
}

Needs::Source queue_source() {
  Needs::Source source{.name = "landing", .on_s3 = true};
  source.fields.store = "prod";
  source.fields.bucket = "inbox";
  source.fields.prefix = "in/";
  SqsStanza sqs;
  sqs.queue = "landing";
  sqs.region = "eu-west-1";
  source.sqs = sqs;
  return source;
}

Needs::Source pushed_source() {
  Needs::Source source = queue_source();
  source.from = Needs::Source::From::kWebhook;
  source.sqs.reset();
  return source;
}

std::vector<std::string> lines(const Wanted& wanted) {
  std::vector<std::string> lines;
  for (const Resource& resource : wanted.resources) {
    lines.push_back(Change{Action::kAdd, resource, resource.settings}.text());
  }
  return lines;
}

TEST(Need, OfAQueueIsTheQueueThePermissionAndTheRule) {
  EXPECT_THAT(lines(work_out(needs_with(queue_source()))),
              ElementsAre("+ bucket prod://inbox", "+ queue landing",
                          "+ permission headrace-lake-1-landing on queue landing: sender bucket "
                          "inbox",
                          "+ notification headrace-lake-1-landing of prod://inbox: events created, "
                          "prefix in/, to queue landing"));
}

TEST(Need, OfATopicBetweenAddsTopicSubscriptionAndBothPermissions) {
  auto source = queue_source();
  source.setup.topic = "fan";
  source.removals = true;
  EXPECT_THAT(lines(work_out(needs_with(source))),
              ElementsAre("+ bucket prod://inbox", "+ queue landing", "+ topic fan",
                          "+ permission headrace-lake-1-landing on topic fan: sender bucket inbox",
                          "+ permission headrace-lake-1-landing on queue landing: sender topic fan",
                          "+ subscription of queue landing to topic fan",
                          "+ notification headrace-lake-1-landing of prod://inbox: events created, "
                          "removed, prefix in/, to topic fan"));
}

TEST(Need, OfDeadLettersMakesTheirQueueFirst) {
  auto source = queue_source();
  source.setup.dead_letters = SetupDeadLettersStanza{"landing-dead", 3};
  source.setup.visibility = std::chrono::minutes(2);
  const auto all = lines(work_out(needs_with(source)));
  EXPECT_EQ(all.at(1), "+ queue landing-dead");
  EXPECT_EQ(all.at(2), "+ queue landing: dead_letters landing-dead after 3, visibility 2m");
}

TEST(Need, OfAPushIsATopicOfTheStoreWithTheSourcesToken) {
  auto source = pushed_source();
  source.setup.push_to = "http://10.0.0.5:8480/in";
  source.token = "a b";
  const Wanted wanted = work_out(needs_with(source));
  EXPECT_EQ(wanted.resources.at(1).home, "store prod");
  EXPECT_EQ(wanted.resources.at(1).settings.at("push_to"), "http://10.0.0.5:8480/in?token=a%20b");
  EXPECT_EQ(wanted.resources.at(2).settings.at("to"), "topic headrace-lake-1-landing");
}

TEST(Need, OfAnArnIsOnlyTheRule) {
  auto source = pushed_source();
  source.setup.arn = "arn:minio:sqs::H1:webhook";
  EXPECT_EQ(lines(work_out(needs_with(source))).back(),
            "+ notification headrace-lake-1-landing of prod://inbox: events created, prefix in/, "
            "to arn arn:minio:sqs::H1:webhook");
}

TEST(Need, ThatNobodyCanWorkOutIsToldAndNotGuessed) {
  const Wanted pushed = work_out(needs_with(pushed_source()));
  EXPECT_THAT(pushed.notes, ElementsAre(HasSubstr("setup.sources.landing.push_to")));
  EXPECT_EQ(pushed.resources.size(), 1u);
  auto anywhere = queue_source();
  anywhere.fields.bucket.clear();
  EXPECT_THAT(work_out(needs_with(anywhere)).notes, ElementsAre(HasSubstr("names no bucket")));
}

TEST(Need, OfNothingIsNothing) {
  const Wanted wanted = work_out(Needs{.stack = "s"});
  EXPECT_THAT(wanted.resources, IsEmpty());
  EXPECT_FALSE(wanted.state);
}

TEST(Need, OfAPlaceForTheStateIsSaid) {
  Needs needs = needs_with(queue_source());
  needs.buckets.clear();
  needs.sources.at(0).fields.bucket.clear();
  EXPECT_THROW(work_out(needs), Error);
}

TEST(Need, OfVersioningIsAskedFor) {
  Needs needs{.stack = "s", .buckets = {{"prod", "inbox"}}};
  needs.setup.buckets = {{"prod", "inbox", true}, {"prod", "more"}};
  EXPECT_THAT(lines(work_out(needs)),
              ElementsAre("+ bucket prod://inbox: versioning on", "+ bucket prod://more"));
}

/// Every row is a way to name a queue.
struct PlaceCase {
  const char* name;
  std::string queue;
  std::string endpoint;
  std::string region;
  std::string expected;
};

class QueuePlaceTest : public testing::TestWithParam<PlaceCase> {};

TEST_P(QueuePlaceTest, IsFound) {
  SqsStanza stanza;
  stanza.queue = GetParam().queue;
  stanza.endpoint = GetParam().endpoint;
  stanza.region = GetParam().region;
  const QueuePlace place = place_of(stanza);
  EXPECT_EQ(place.home() + " " + place.queue, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Names, QueuePlaceTest,
    testing::Values(PlaceCase{"NameAndRegion", "q", "", "eu-west-1",
                              "https://sqs.eu-west-1.amazonaws.com eu-west-1 q"},
                    PlaceCase{"Url", "https://sqs.eu-west-1.amazonaws.com/123/q", "", "",
                              "https://sqs.eu-west-1.amazonaws.com eu-west-1 q"},
                    PlaceCase{"Arn", "arn:aws:sqs:eu-west-1:123:q", "", "",
                              "https://sqs.eu-west-1.amazonaws.com eu-west-1 q"},
                    PlaceCase{"China", "q", "", "cn-north-1",
                              "https://sqs.cn-north-1.amazonaws.com.cn cn-north-1 q"},
                    PlaceCase{"StandIn", "q", "http://127.0.0.1:5000/", "",
                              "http://127.0.0.1:5000 us-east-1 q"}),
    [](const auto& row) { return row.param.name; });

TEST(QueuePlace, WithoutARegionIsRefused) {
  SqsStanza stanza;
  stanza.queue = "q";
  EXPECT_THROW(place_of(stanza), Error);
}

TEST(KeyEnds, AreTheLiteralEndsOfTheTemplate) {
  SourceFields fields;
  fields.prefix = "in/";
  EXPECT_EQ(key_ends(fields).prefix, "in/");
  fields.key = KeyTemplate::parse("in/events/{type}/{name}.json");
  EXPECT_EQ(key_ends(fields).prefix, "in/events/");
  EXPECT_EQ(key_ends(fields).suffix, ".json");
  fields.key = KeyTemplate::parse("{rest...}");
  EXPECT_EQ(key_ends(fields).prefix, "in/");
  EXPECT_EQ(key_ends(fields).suffix, "");
}

}  // namespace
}  // namespace headrace::setup
