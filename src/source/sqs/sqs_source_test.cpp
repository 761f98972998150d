#include "source/sqs/sqs_source.h"

#include "testing/fake_sqs.h"
#include "testing/source_fixture.h"

namespace headrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

/// Keys that may be refused once, after which there are others.
class ChangingKeys final : public CredentialsProvider {
 public:
  Task<std::optional<Credentials>> get() override {
    co_return Credentials{fmt::format("KEY{}", refusals_), "secret", {}, {}, "test"};
  }
  void refused(const Credentials&) override { ++refusals_; }

 private:
  int refusals_ = 0;
};

class SqsSourceTest : public SourceTest {
 protected:
  SqsSourceTest() { start(sqs_.run()); }
  void TearDown() override {
    sqs_.stop_waiting();
    stop_all();
  }

  void open(std::string queue = "queue") {
    options_.messages.name = "raw";
    options_.messages.store = "lake";
    options_.address = {std::move(queue), sqs_.endpoint(), "eu-central-1"};
    const KeyMatcher matcher = [](std::string_view key) -> std::optional<KeyFields> {
      if (key.ends_with(".tmp")) return std::nullopt;
      return KeyFields{{"name", std::string(key)}};
    };
    source_ = make_sqs_source(options_, client_, std::make_unique<ChangingKeys>(), *store_, matcher,
                              clock_, random_, silent_log());
    start(source_->run());
  }
  std::string described() const {
    JsonWriter json;
    json.begin_object();
    source_->describe(json);
    json.end_object();
    return json.text();
  }
  /// Waits until something of the source sleeps on the clock, and lets it wake.
  void let_time_pass(Duration span) {
    until([&] { return clock_.next_due() && *clock_.next_due() <= clock_.now() + span; });
    clock_.advance(span);
  }

  SeededRandom random_{1};
  FakeSqs sqs_{loop_.get_executor()};
  SqsOptions options_;
};

TEST_F(SqsSourceTest, GivesTheEventsOfAMessageAndDeletesItOnceTheyAreDurable) {
  sqs_.put(created("a/b+c"));
  open();
  const auto batch = next();
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->events.size(), 1u);
  const Event& event = batch->events[0];
  EXPECT_EQ(event.object, (ObjectKey{"bucket", "a/b c"}));
  EXPECT_EQ(event.store, "lake");
  EXPECT_EQ(event.origin, "raw");
  EXPECT_EQ(event.key_fields, (KeyFields{{"name", "a/b c"}}));
  EXPECT_EQ(sqs_.count("DeleteMessageBatch"), 0u);
  ack(*batch);
  until([&] { return sqs_.left() == 0; });
}

TEST_F(SqsSourceTest, DeletesInBatchesAndEndsWhenThereIsNoMore) {
  for (int i = 0; i < 95; ++i) sqs_.put(created(fmt::format("{:02}", i)));
  open();
  EXPECT_EQ(drain().size(), 95u);
  EXPECT_EQ(sqs_.left(), 0u);
  EXPECT_LE(sqs_.count("DeleteMessageBatch"), 30u);
  EXPECT_EQ(failure(), std::nullopt);
}

TEST_F(SqsSourceTest, KeepsAMessageUntilAllItsRecordsAreDurable) {
  std::vector<std::string> records;
  for (int i = 0; i < 300; ++i) records.push_back(record(fmt::format("{:03}", i)));
  sqs_.put(message(records));
  open();
  const auto first = next();
  const auto second = next();
  EXPECT_EQ(first->events.size(), kMostEvents);
  EXPECT_EQ(second->events.size(), 300 - kMostEvents);
  ack(*second);
  sqs_.put(created("after"));
  const auto third = next();
  ack(*third);
  until([&] { return sqs_.count("DeleteMessageBatch") == 1 && sqs_.left() == 1; });
  ack(*first);
  until([&] { return sqs_.left() == 0; });
}

TEST_F(SqsSourceTest, TakesTheGoodRecordsOfAMessageAndKeepsTheBadOnesAsTheyCame) {
  sqs_.put(message({record("a"), R"({"eventSource":"aws:s3","eventVersion":"3.0"})", record("b")}));
  open();
  const auto batch = next();
  EXPECT_THAT(keys_of(*batch), ElementsAre("a", "b"));
  ASSERT_EQ(batch->garbage.size(), 1u);
  EXPECT_THAT(batch->garbage[0].raw, HasSubstr("3.0"));
}

TEST_F(SqsSourceTest, MakesADeadLetterOfWhatIsNoEventAndDeletesIt) {
  const std::string big = R"({"foreign":")" + std::string(10u << 20, 'x') + R"("})";
  sqs_.put("not JSON");
  sqs_.put(big);
  open();
  std::vector<Undecodable> garbage;
  while (garbage.size() < 2) {
    const auto batch = next();
    for (const Undecodable& one : batch->garbage) garbage.push_back(one);
    ack(*batch);
  }
  EXPECT_EQ(garbage[0].raw, "not JSON");
  EXPECT_TRUE(garbage[1].raw == big.substr(0, kRawBytes));
  EXPECT_THAT(garbage[1].reason, HasSubstr("(the first 1048576 of "));
  until([&] { return sqs_.left() == 0; });
}

TEST_F(SqsSourceTest, DeletesTestEventsAndWhatIsNotItsOwnQuietly) {
  sqs_.put(R"({"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2027-01-15T08:00:00.000Z",)"
           R"("Bucket":"bucket","RequestId":"r","HostId":"h"})");
  sqs_.put(message({record("x.tmp"), record("other", "elsewhere")}));
  options_.messages.bucket = "bucket";
  open();
  until([&] { return sqs_.left() == 0; });
  EXPECT_THAT(described(), HasSubstr(R"("test_events":1)"));
  EXPECT_THAT(described(), HasSubstr(R"("other_bucket":1,"other_key":1)"));
}

TEST_F(SqsSourceTest, HandsPoisonToTheDeadLettersWithItsBytes) {
  sqs_.put(created("a"), 10);
  open();
  const auto batch = next();
  EXPECT_THAT(batch->events, IsEmpty());
  ASSERT_EQ(batch->garbage.size(), 1u);
  EXPECT_EQ(batch->garbage[0].raw, created("a"));
  EXPECT_THAT(batch->garbage[0].reason, HasSubstr("11 times"));
  ack(*batch);
  until([&] { return sqs_.left() == 0; });
}

TEST_F(SqsSourceTest, LeavesAMessageWhoseDigestDoesNotFit) {
  sqs_.put_damaged(created("a"));
  sqs_.put(created("b"));
  open();
  EXPECT_THAT(drain(), ElementsAre("b"));
  EXPECT_EQ(sqs_.left(), 1u);
}

TEST_F(SqsSourceTest, BacksOffWhenThrottledOrTheServerFails) {
  sqs_.answer_once("ReceiveMessage", 400, R"({"__type":"com.amazonaws.sqs#RequestThrottled"})");
  sqs_.answer_once("ReceiveMessage", 503, "busy");
  sqs_.put(created("a"));
  options_.receivers = 1;
  open();
  until([&] { return sqs_.count("ReceiveMessage") == 1; });
  let_time_pass(1s);
  until([&] { return sqs_.count("ReceiveMessage") == 2; });
  let_time_pass(1s);
  EXPECT_THAT(keys_of(*next()), ElementsAre("a"));
}

TEST_F(SqsSourceTest, GivesAgainWhatWasReceivedInALostAnswer) {
  sqs_.put(created("a"));
  sqs_.answer_once("ReceiveMessage", 500, "", true);
  options_.receivers = 1;
  open();
  until([&] { return sqs_.count("ReceiveMessage") == 1; });
  let_time_pass(1s);
  until([&] { return sqs_.count("ReceiveMessage") == 2; });
  sqs_.redeliver();
  EXPECT_THAT(keys_of(*next()), ElementsAre("a"));
}

TEST_F(SqsSourceTest, DeletesAgainWhatABatchCouldNotDelete) {
  sqs_.put(created("a"));
  sqs_.answer_once("DeleteMessageBatch", 200,
                   R"({"Failed":[{"Id":"0","SenderFault":false,"Code":"InternalError"}]})");
  sqs_.answer_once("DeleteMessageBatch", 500, "");
  options_.receivers = 1;
  open();
  ack(*next());
  until([&] { return sqs_.count("DeleteMessageBatch") == 1; });
  let_time_pass(1s);
  until([&] { return sqs_.count("DeleteMessageBatch") == 2; });
  let_time_pass(1s);
  until([&] { return sqs_.left() == 0; });
}

TEST_F(SqsSourceTest, DoesNotInsistOnAReceiptThatExpired) {
  sqs_.put(created("a"));
  sqs_.answer_once("DeleteMessageBatch", 200,
                   R"({"Failed":[{"Id":"0","SenderFault":true,"Code":"ReceiptHandleIsInvalid"}]})");
  open();
  EXPECT_THAT(drain(), ElementsAre("a"));
  EXPECT_EQ(sqs_.count("DeleteMessageBatch"), 1u);
}

TEST_F(SqsSourceTest, KeepsMessagesHiddenWhileTheyAreInHand) {
  sqs_.put(created("a"));
  open();
  const auto batch = next();
  EXPECT_THAT(sqs_.last("ReceiveMessage").body, HasSubstr(R"("VisibilityTimeout":40)"));
  let_time_pass(10s);
  let_time_pass(10s);
  until([&] { return sqs_.count("ChangeMessageVisibilityBatch") == 1; });
  EXPECT_THAT(sqs_.last("ChangeMessageVisibilityBatch").body,
              HasSubstr(R"("ReceiptHandle":"receipt-1","VisibilityTimeout":40)"));
  // The receipt is lost: no more of it.
  sqs_.answer_once("ChangeMessageVisibilityBatch", 200,
                   R"({"Failed":[{"Id":"0","SenderFault":true,"Code":"ReceiptHandleIsInvalid"}]})");
  let_time_pass(20s);
  until([&] { return described().contains(R"("leases_lost":1)"); });
  for (int i = 0; i < 4; ++i) let_time_pass(20s);
  EXPECT_EQ(sqs_.count("ChangeMessageVisibilityBatch"), 2u);
}

TEST_F(SqsSourceTest, StopsHidingAfterTwelveHours) {
  sqs_.put(created("a"));
  options_.visibility = 4h;
  open();
  const auto batch = next();
  for (int hour = 0; hour < 16; ++hour) let_time_pass(1h);
  until([&] { return described().contains(R"("leases_lost":1)"); });
  EXPECT_EQ(sqs_.count("ChangeMessageVisibilityBatch"), 4u);  // At 2, 4, 6 and 8 hours.
}

TEST_F(SqsSourceTest, GivesBackWhatIsNotDurableWhenStopped) {
  sqs_.put(created("a"));
  sqs_.put(created("b"));
  options_.batch = 1;
  options_.receivers = 1;
  open();
  const auto first = next();
  const auto second = next();
  ack(*first);
  sqs_.stop_waiting();
  stop_last();
  EXPECT_EQ(sqs_.left(), 1u);
  EXPECT_THAT(sqs_.last("ChangeMessageVisibilityBatch").body,
              HasSubstr(R"("VisibilityTimeout":0)"));
}

TEST_F(SqsSourceTest, StopsTakingMoreThanItMayHold) {
  options_.held = 10;
  options_.receivers = 1;
  for (int i = 0; i < 30; ++i) sqs_.put(created(fmt::format("{}", i)));
  open();
  const auto batch = next();
  EXPECT_EQ(batch->events.size(), 10u);
  EXPECT_EQ(sqs_.count("ReceiveMessage"), 1u);
  ack(*batch);
  EXPECT_EQ(next()->events.size(), 10u);
}

TEST_F(SqsSourceTest, EndsIfTheQueueIsNotThere) {
  sqs_.answer_once("GetQueueUrl", 400,
                   R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"})");
  open();
  EXPECT_EQ(failure(), ErrorKind::kInvalid);
}

TEST_F(SqsSourceTest, WaitsForAQueueThatWasThere) {
  sqs_.put(created("a"));
  options_.receivers = 1;
  open();
  ack(*next());
  until([&] { return sqs_.left() == 0; });
  sqs_.answer_once("ReceiveMessage", 400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist"})");
  sqs_.stop_waiting();
  until([&] { return described().contains(R"("failures":1)"); });
  clock_.advance(1min);
  sqs_.put(created("b"));
  EXPECT_THAT(keys_of(*next()), ElementsAre("b"));
}

TEST_F(SqsSourceTest, ManagesWithoutTheRightToReadAttributes) {
  sqs_.answer_once("GetQueueAttributes", 400,
                   R"({"__type":"com.amazon.coral.service#AccessDeniedException"})");
  sqs_.put(created("a"));
  open();
  EXPECT_THAT(drain(), ElementsAre("a"));
  EXPECT_THAT(sqs_.last("ReceiveMessage").body, HasSubstr(R"("VisibilityTimeout":30)"));
}

TEST_F(SqsSourceTest, FetchesCredentialsAnewWhenTheyAreRefused) {
  sqs_.answer_once("GetQueueUrl", 403, R"({"__type":"ExpiredTokenException"})");
  sqs_.put(created("a"));
  open();
  EXPECT_THAT(drain(), ElementsAre("a"));
  EXPECT_THAT(std::string(sqs_.calls[0].headers.get("Authorization")), HasSubstr("KEY0/"));
  EXPECT_THAT(std::string(sqs_.calls[1].headers.get("Authorization")), HasSubstr("KEY1/"));
}

TEST_F(SqsSourceTest, SaysWhenCredentialsAreWrong) {
  for (int i = 0; i < 2; ++i) {
    sqs_.answer_once("GetQueueUrl", 403, R"({"__type":"InvalidClientTokenId","message":"no"})");
  }
  open();
  EXPECT_EQ(failure(), ErrorKind::kInvalid);
}

TEST_F(SqsSourceTest, TakesTheQueuesTimeWhenItsOwnIsOff) {
  sqs_.answer_once("GetQueueUrl", 403,
                   R"({"__type":"InvalidSignatureException","message":"Signature expired"})");
  sqs_.put(created("a"));
  open();
  EXPECT_THAT(drain(), ElementsAre("a"));
  // The test's clock stands in 2027, the server's does not.
  EXPECT_THAT(std::string(sqs_.calls[0].headers.get("X-Amz-Date")), HasSubstr("2027"));
  EXPECT_THAT(std::string(sqs_.calls[1].headers.get("X-Amz-Date")),
              testing::Not(HasSubstr("2027")));
}

TEST_F(SqsSourceTest, KnowsAQueueByItsUrl) {
  sqs_.put(created("a"));
  const std::string url = sqs_.endpoint() + "/123456789012/queue";
  open(url);
  EXPECT_THAT(drain(), ElementsAre("a"));
  EXPECT_EQ(sqs_.count("GetQueueUrl"), 0u);
  EXPECT_THAT(sqs_.last("ReceiveMessage").body, HasSubstr(url));
}

/// A dead letter of the source: nothing is received, and nothing is to be acknowledged.
TEST_F(SqsSourceTest, ReadsAMessageOnceMoreWhenAsked) {
  open();
  const EventBatch good = run(source_->reread(message({record("a/b+c"), record("d.tmp")})));
  EXPECT_THAT(keys_of(good), ElementsAre("a/b c"));
  EXPECT_EQ(good.events[0].origin, "raw");
  EXPECT_EQ(good.events[0].key_fields, (KeyFields{{"name", "a/b c"}}));
  EXPECT_THAT(good.garbage, IsEmpty());
  const EventBatch bad = run(source_->reread("no JSON"));
  EXPECT_THAT(bad.events, IsEmpty());
  ASSERT_EQ(bad.garbage.size(), 1u);
  EXPECT_THAT(bad.garbage[0].reason, HasSubstr("not JSON"));
}

}  // namespace
}  // namespace headrace
