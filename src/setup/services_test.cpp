// What SQS and SNS answer when things are odd.

#include "setup/services.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/error.h"
#include "testing/http_kit.h"

namespace headrace::setup {
namespace {

using testing::HasSubstr;

/// Calls `ask` with an SQS and SNS that give these answers, one after the other.
void with_answers(std::vector<std::string> answers, std::function<Task<>(Queues&, Topics&)> ask,
                  std::vector<std::string>* requests = nullptr) {
  const auto credentials = fixed_credentials({.access_key = "AKID", .secret_key = "SECRET"});
  meet(
      [&](HttpClient& client, HttpPeer& peer) -> Task<> {
        Queues queues(peer.url(), "eu-west-1", client, *credentials, real_clock());
        Topics topics(sns_post(peer.url(), "eu-west-1", client, *credentials, real_clock()));
        co_await ask(queues, topics);
        if (requests != nullptr) *requests = peer.requests();
      },
      [&](HttpClient&, HttpPeer& peer) -> Task<> { co_await peer.answer_all(answers); });
}

std::string topics_page(std::string_view name, std::string_view next) {
  return fmt::format(
      "<ListTopicsResponse><ListTopicsResult><Topics><member><TopicArn>arn:aws:sns:eu:1:{}"
      "</TopicArn></member></Topics>{}</ListTopicsResult></ListTopicsResponse>",
      name, next.empty() ? "" : fmt::format("<NextToken>{}</NextToken>", next));
}

TEST(SetupServices, AQueueThatIsNotThereIsAnAnswer) {
  with_answers({answer_text(400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist"})")},
               [](Queues& queues, Topics&) -> Task<> { EXPECT_FALSE(co_await queues.find("q")); });
}

TEST(SetupServices, ARefusalIsToldInTheServicesOwnWordsAndWithoutTheSecret) {
  with_answers({answer_text(403, R"({"__type":"AccessDenied","message":"may not create"})")},
               [](Queues& queues, Topics&) -> Task<> {
                 try {
                   co_await queues.create("q");
                   ADD_FAILURE() << "was not refused";
                 } catch (const Error& error) {
                   EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
                   EXPECT_STREQ(error.what(), "SQS CreateQueue: 403 AccessDenied: may not create");
                 }
               });
}

TEST(SetupServices, ThrottlingMayPass) {
  with_answers({answer_text(400, R"({"__type":"ThrottlingException"})"), answer_text(503, "busy")},
               [](Queues& queues, Topics& topics) -> Task<> {
                 for (int i = 0; i < 2; ++i) {
                   try {
                     if (i == 0) co_await queues.create("q");
                     if (i == 1) co_await topics.create("t", {});
                     ADD_FAILURE() << "was not refused";
                   } catch (const Error& error) {
                     EXPECT_EQ(error.kind(), ErrorKind::kTransient);
                   }
                 }
               });
}

TEST(SetupServices, ATopicIsFoundOnALaterPage) {
  std::vector<std::string> requests;
  with_answers(
      {answer_text(200, topics_page("other-t", "more")), answer_text(200, topics_page("t", ""))},
      [](Queues&, Topics& topics) -> Task<> {
        const auto topic = co_await topics.find("t");
        EXPECT_TRUE(topic.has_value());
        if (topic) EXPECT_EQ(topic->arn, "arn:aws:sns:eu:1:t");
      },
      &requests);
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_THAT(requests[1], HasSubstr("NextToken=more"));
}

TEST(SetupServices, AStoreThatKnowsNoTopicsSaysSo) {
  with_answers({answer_text(404, "<Error><Code>NoSuchKey</Code></Error>")},
               [](Queues&, Topics& topics) -> Task<> { EXPECT_FALSE(co_await topics.find("t")); });
}

TEST(SetupServices, AnAnswerThatIsNoXmlMayPass) {
  with_answers({answer_text(200, "<ListTop")}, [](Queues&, Topics& topics) -> Task<> {
    try {
      co_await topics.find("t");
      ADD_FAILURE() << "was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kTransient);
    }
  });
}

}  // namespace
}  // namespace headrace::setup
