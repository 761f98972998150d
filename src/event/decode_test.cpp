#include "event/decode.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base64.h"
#include "event/dialects.h"
#include "event/test_messages.h"

namespace headrace {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace test_messages;

Decoded decode(std::string_view body, const Attributes& attributes = {},
               const DecodeLimits& limits = {}) {
  return decode_message({body, attributes, *parse_time("2026-11-22T15:00:00Z")}, limits);
}

Events events_of(std::string_view body, const Attributes& attributes = {}) {
  const Decoded decoded = decode(body, attributes);
  if (const auto* no = std::get_if<NoEvent>(&decoded)) ADD_FAILURE() << no->reason << "\n" << body;
  const auto* events = std::get_if<Events>(&decoded);
  return events != nullptr ? *events : Events{};
}

DecodedEvent one_event(std::string_view body, const Attributes& attributes = {}) {
  Events events = events_of(body, attributes);
  for (const BadRecord& bad : events.bad) ADD_FAILURE() << bad.reason << "\n" << bad.raw;
  EXPECT_THAT(events.events, SizeIs(1)) << body;
  return events.events.empty() ? DecodedEvent{} : std::move(events.events[0]);
}

std::string reason_of(std::string_view body, const Attributes& attributes = {},
                      const DecodeLimits& limits = {}) {
  const Decoded decoded = decode(body, attributes, limits);
  const auto* no = std::get_if<NoEvent>(&decoded);
  return no != nullptr ? no->reason : "it is one";
}

// --- One action, told by everybody ---

/// PUT of 5 bytes as every dialect must tell it.
Event the_put() {
  Event event;
  event.kind = EventKind::kCreated;
  event.detail_type = "Object Created";
  event.time = *parse_time("2026-11-22T14:01:58Z");
  event.object = {"bucket1", "dir/red flower+a@b é.txt"};
  event.size = 5;
  event.etag = Etag{"5d41402abc4b2a76b9719d911017c592"};
  event.sequencer = "6B02F5D6396ABA38";
  event.id = id_of(event);
  return event;
}

struct Told {
  const char* name;
  std::string body;
  Dialect dialect;
  const char* sequencer = "6B02F5D6396ABA38";
  const char* version = "";
  Attributes attributes = {};
};

void PrintTo(const Told& told, std::ostream* out) { *out << told.name; }

class DialectTest : public testing::TestWithParam<Told> {};

TEST_P(DialectTest, TellsThePutAsAllOthersDoButForTheProducer) {
  const Told& told = GetParam();
  Event expected = the_put();
  expected.producer = to_string(told.dialect);
  if (expected.sequencer != told.sequencer || expected.version_id != told.version) {
    expected.sequencer = told.sequencer;
    expected.version_id = told.version;
    expected.id = id_of(expected);
  }
  const DecodedEvent decoded = one_event(told.body, told.attributes);
  EXPECT_EQ(decoded.event, expected) << to_json(decoded.event) << "\n" << to_json(expected);
  EXPECT_EQ(decoded.dialect, told.dialect);
  EXPECT_EQ(decoded.record, 0u);
  EXPECT_FALSE(decoded.unproven);
  EXPECT_EQ(event_from_json(to_json(decoded.event)), decoded.event);
}

INSTANTIATE_TEST_SUITE_P(
    Producers, DialectTest,
    testing::Values(
        Told{"Aws", aws_put(), Dialect::kAws}, Told{"AwsOldVersion", aws_put("2.0"), Dialect::kAws},
        Told{"AwsNewestVersion", aws_put("2.6"), Dialect::kAws},
        Told{"AwsOfTheFuture", aws_put("2.17"), Dialect::kAws},
        Told{"AwsBySns", in_sns(aws_put()), Dialect::kAws},
        Told{"AwsBySnsInSqsInLambda", in_lambda_sqs(in_sns(aws_put())), Dialect::kAws},
        Told{"AwsBySnsInLambda", in_lambda_sns(aws_put()), Dialect::kAws},
        Told{"AwsWithByteOrderMark", "\xEF\xBB\xBF" + aws_put(), Dialect::kAws},
        Told{"OneRecordWithoutAList", aws_record(), Dialect::kAws},
        Told{"EventBridge", bridge_put(), Dialect::kEventBridge},
        Told{"EventBridgeBySns", in_sns(bridge_put()), Dialect::kEventBridge},
        Told{"Minio", minio_put(), Dialect::kMinio}, Told{"Rustfs", rustfs_put(), Dialect::kRustfs},
        Told{"Ceph", ceph_put(), Dialect::kCeph},
        Told{"Versitygw", versitygw_put(), Dialect::kVersitygw, "006B02F5D600000000000000B7"},
        Told{"Moto", moto_put(), Dialect::kMoto, ""}, Told{"R2", r2_put(), Dialect::kR2, ""},
        Told{"GcsByPush", in_pub_sub(gcs_resource(), gcs_attributes()), Dialect::kGcs,
             kGeneration20, kGeneration},
        Told{"GcsByAttributes", gcs_resource(), Dialect::kGcs, kGeneration20, kGeneration,
             gcs_attributes()},
        Told{"GcsByEventarc", gcs_resource(), Dialect::kGcs, kGeneration20, kGeneration,
             cloud_attributes("ce-", "google.cloud.storage.object.v1.finalized")},
        Told{"CloudEventByHeaders", aws_put(), Dialect::kAws, "6B02F5D6396ABA38", "",
             cloud_attributes("Ce-", "com.amazonaws.s3.ObjectCreated:Put")},
        Told{"CephWithCloudEventHeaders", ceph_put(), Dialect::kCeph, "6B02F5D6396ABA38", "",
             cloud_attributes("ce-", "com.amazonaws.ObjectCreated:Put")},
        Told{"CloudEventByKafka", minio_put(), Dialect::kMinio, "6B02F5D6396ABA38", "",
             cloud_attributes("ce_", "com.amazonaws.s3.ObjectCreated:Put")},
        Told{"CloudEventByAmqp", aws_record(), Dialect::kAws, "6B02F5D6396ABA38", "",
             cloud_attributes("cloudEvents:", "com.amazonaws.s3.ObjectCreated:Put")},
        Told{"CloudEventStructured", in_cloud_event(aws_record()), Dialect::kAws},
        Told{"CloudEventBatch", "[" + in_cloud_event(aws_put()) + "]", Dialect::kAws},
        Told{"CloudEventInBase64", in_cloud_event_base64(aws_put()), Dialect::kAws},
        Told{"CloudEventInText", in_cloud_event(json_string(aws_put())), Dialect::kAws},
        Told{"CloudEventOfADetail", in_cloud_event(bridge_detail()), Dialect::kEventBridge},
        Told{"CloudEventOfAnEventBridgeEvent", in_cloud_event(bridge_put()),
             Dialect::kEventBridge}),
    [](const auto& row) { return row.param.name; });

TEST(Decode, TakesOurOwnEventsBack) {
  Event event = the_put();
  event.producer = "watch";
  event.store = "lake";
  event.key_fields = {{"name", "red flower"}};
  const DecodedEvent decoded = one_event(to_json(event));
  EXPECT_EQ(decoded.event, event);
  EXPECT_EQ(decoded.dialect, Dialect::kHeadrace);
}

// --- Kinds ---

TEST(Decode, GivesEventNamesTheDetailTypesOfEventBridge) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"ObjectCreated:Put", "Object Created"},
      {"ObjectCreated:Post", "Object Created"},
      {"ObjectCreated:Copy", "Object Created"},
      {"ObjectCreated:CompleteMultipartUpload", "Object Created"},
      {"ObjectSynced:Create", "Object Created"},
      {"ObjectRemoved:Delete", "Object Deleted"},
      {"ObjectRemoved:DeleteMarkerCreated", "Object Deleted"},
      {"ObjectRemoved:DeleteObjects", "Object Deleted"},
      {"LifecycleExpiration:Delete", "Object Deleted"},
      {"LifecycleExpiration:DeleteMarkerCreated", "Object Deleted"},
      {"ObjectLifecycle:Expiration:Current", "Object Deleted"},
      {"ObjectSynced:DeletionMarkerCreated", "Object Deleted"},
      {"ObjectTagging:Put", "Object Tags Added"},
      {"ObjectTagging:Delete", "Object Tags Deleted"},
      {"ObjectCreated:PutTagging", "Object Tags Added"},
      {"ObjectCreated:DeleteTagging", "Object Tags Deleted"},
      {"ObjectAcl:Put", "Object ACL Updated"},
      {"ObjectRestore:Post", "Object Restore Initiated"},
      {"ObjectRestore:Completed", "Object Restore Completed"},
      {"ObjectRestore:Delete", "Object Restore Expired"},
      {"LifecycleTransition", "Object Storage Class Changed"},
      {"IntelligentTiering", "Object Access Tier Changed"},
      {"ObjectCreated:PutRetention", "ObjectCreated:PutRetention"},
      {"ObjectRemoved:NoOP", "ObjectRemoved:NoOP"},
      {"ObjectLifecycle:Expiration:NonCurrent", "ObjectLifecycle:Expiration:NonCurrent"},
      {"ObjectAnnotation:Put", "ObjectAnnotation:Put"},
      {"ReducedRedundancyLostObject", "ReducedRedundancyLostObject"},
      {"SomethingNew:Happened", "SomethingNew:Happened"},
  };
  for (const auto& [name, detail_type] : rows) {
    const std::string body = replaced(aws_put(), "ObjectCreated:Put", name);
    const Event event = one_event(body).event;
    EXPECT_EQ(event.detail_type, detail_type) << name;
    const Event minio = one_event(replaced(minio_put(), "ObjectCreated:Put", name)).event;
    EXPECT_EQ(minio.detail_type, detail_type) << "s3:" << name;
    EXPECT_EQ(event.kind, event_from_json(to_json(event)).kind) << name;
  }
}

TEST(Decode, TakesSizeAndEtagFromADeletion) {
  for (const std::string& put : {aws_put(), ceph_put(), minio_put(), versitygw_put()}) {
    const std::string body =
        replaced(put, "ObjectCreated:Put", "ObjectRemoved:DeleteMarkerCreated");
    const Event event = one_event(body).event;
    EXPECT_EQ(event.kind, EventKind::kDeleted);
    EXPECT_EQ(event.size, std::nullopt);
    EXPECT_EQ(event.etag, std::nullopt);
    EXPECT_EQ(event.sequencer.empty(), false);
  }
}

TEST(Decode, KnowsTheActionsOfR2) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"CopyObject", "Object Created"},   {"CompleteMultipartUpload", "Object Created"},
      {"DeleteObject", "Object Deleted"}, {"LifecycleDeletion", "Object Deleted"},
      {"SomethingNew", "SomethingNew"},
  };
  for (const auto& [action, detail_type] : rows) {
    EXPECT_EQ(one_event(replaced(r2_put(), "PutObject", action)).event.detail_type, detail_type);
  }
}

TEST(Decode, KnowsThatGoogleTellsAnOverwriteTwice) {
  Attributes attributes = gcs_attributes();
  attributes[0].second = "OBJECT_DELETE";
  EXPECT_EQ(one_event(gcs_resource(), attributes).event.kind, EventKind::kDeleted);
  attributes.emplace_back("overwrittenByGeneration", "1795356118999999");
  const Event event = one_event(gcs_resource(), attributes).event;
  EXPECT_EQ(event.kind, EventKind::kOther) << "the key still holds an object";
  EXPECT_EQ(event.detail_type, "OBJECT_DELETE");
}

TEST(Decode, TakesAGoogleNotificationWithoutPayload) {
  const Event event = one_event("", gcs_attributes()).event;
  EXPECT_EQ(event.object, the_put().object);
  EXPECT_EQ(event.size, std::nullopt);
  EXPECT_EQ(one_event(in_pub_sub("", gcs_attributes())).event, event);
}

// --- Fields that are not as one would like ---

TEST(Decode, TakesNothingForAnAbsentVersion) {
  for (const char* version :
       {R"("versionId":"",)", R"("versionId":null,)", R"("versionId":"null",)"}) {
    const std::string body = replaced(aws_put(), R"("size":5)", version + R"("size":5)"s);
    EXPECT_EQ(one_event(body).event.version_id, "") << version;
  }
  const std::string body = replaced(aws_put(), R"("size":5)", R"("versionId":"v1","size":5)");
  EXPECT_EQ(one_event(body).event.version_id, "v1");
}

TEST(Decode, LeavesOutWhatATagChangeDoesNotTell) {
  std::string body = replaced(aws_put(), "ObjectCreated:Put", "ObjectTagging:Put");
  body = replaced(body, R"("size":5,)", "");
  body = replaced(body, R"(,"sequencer":"006B02F5D6396ABA38")", "");
  const Event event = one_event(body).event;
  EXPECT_EQ(event.kind, EventKind::kTagsChanged);
  EXPECT_EQ(event.size, std::nullopt);
  EXPECT_EQ(event.sequencer, "");
  EXPECT_EQ(event.etag, the_put().etag);
}

/// moto's EventBridge, captured from a server.
TEST(Decode, DoesNotBelieveTheSequencerOfAwsDocumentation) {
  const DecodedEvent decoded = one_event(
      R"({"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created",)"
      R"("source":"aws.s3","account":"123456789012","time":"2026-11-22T14:01:58Z",)"
      R"("region":"us-east-1","resources":["arn:aws:s3:::bucket1"],"detail":{"version":"0",)"
      R"("bucket":{"name":"bucket1"},"object":{"key":"dir/red flower+a@b \u00e9.txt","size":5,)"
      R"("eTag":"5d41402abc4b2a76b9719d911017c592","version-id":"null",)"
      R"("sequencer":"617f08299329d189"},"request-id":"N4N7GDK58NMKJ12R",)"
      R"("requester":"123456789012","source-ip-address":"1.2.3.4","reason":"ObjectCreated"}})");
  Event expected = the_put();
  expected.sequencer.clear();
  expected.id = id_of(expected);
  expected.producer = "eventbridge";
  EXPECT_EQ(decoded.event, expected) << to_json(decoded.event);
}

TEST(Decode, DistrustsWhatRadosgwGivesNoTime) {
  const std::string body = replaced(ceph_put(), "2026-11-22T14:01:58.000000Z", "0.000000");
  const DecodedEvent decoded = one_event(body);
  EXPECT_TRUE(decoded.unproven);
  EXPECT_EQ(decoded.event.object, the_put().object);
  EXPECT_EQ(decoded.event.size, std::nullopt);
  EXPECT_EQ(decoded.event.etag, std::nullopt);
  EXPECT_EQ(format_time(decoded.event.time), "2026-11-22T14:01:58.963295Z")
      << "the sequencer's moment";
}

TEST(Decode, TakesTheTimeOfArrivalForOneThatCannotBeRead) {
  for (const char* time : {"yesterday", "", "0000-01-01T00:00:00+01:00"}) {
    const DecodedEvent decoded = one_event(replaced(aws_put(), "2026-11-22T14:01:58.000Z", time));
    EXPECT_EQ(format_time(decoded.event.time), "2026-11-22T15:00:00Z") << time;
    EXPECT_FALSE(decoded.unproven);
  }
}

TEST(Decode, GivesAMessageThatComesTwiceTheSameIds) {
  EXPECT_EQ(one_event(aws_put()).event.id, one_event(aws_put()).event.id);
  EXPECT_THAT(one_event(aws_put()).event.id,
              testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                    "[0-9a-f]{12}"));
  const std::string later = replaced(aws_put(), "006B02F5D6396ABA38", "006B02F5D7396ABA38");
  EXPECT_NE(one_event(aws_put()).event.id, one_event(later).event.id);
}

// --- Several records ---

TEST(Decode, KeepsGoodRecordsBesideBadOnes) {
  const std::string body = fmt::format(
      R"({{"Records":[{},{},"text",{},{}]}})", aws_record(), replaced(aws_record(), "key", "kex"),
      replaced(aws_record(), R"("2.1")", R"("3.0")"), replaced(aws_record(), "bucket1", "bucket2"));
  const Events events = events_of(body);
  ASSERT_THAT(events.events, SizeIs(2));
  EXPECT_EQ(events.events[0].record, 0u);
  EXPECT_EQ(events.events[1].record, 4u);
  EXPECT_EQ(events.events[1].event.object.bucket, "bucket2");
  ASSERT_THAT(events.bad, SizeIs(3));
  EXPECT_EQ(events.bad[0].record, 1u);
  EXPECT_EQ(events.bad[0].reason, "s3.object.key is missing");
  EXPECT_EQ(events.bad[0].raw, replaced(aws_record(), "key", "kex"));
  EXPECT_EQ(events.bad[1].record, 2u);
  EXPECT_EQ(events.bad[1].raw, R"("text")");
  EXPECT_EQ(events.bad[2].record, 3u);
  EXPECT_EQ(events.bad[2].reason, "eventVersion is not 2.x: 3.0");
}

TEST(Decode, CountsRecordsThroughAllEnvelopes) {
  const std::string two = fmt::format(R"({{"Records":[{0},{0}]}})", aws_record());
  const std::string body =
      fmt::format("[{},{},{}]", in_sns(two), R"({"foo":1,"bar":2})", bridge_put());
  const Events events = events_of(body);
  ASSERT_THAT(events.events, SizeIs(3));
  EXPECT_EQ(events.events[1].record, 1u);
  EXPECT_EQ(events.events[2].record, 3u);
  ASSERT_THAT(events.bad, SizeIs(1));
  EXPECT_EQ(events.bad[0].record, 2u);
  EXPECT_EQ(events.bad[0].reason, "the message is of no known dialect; it has foo, bar");
}

TEST(Decode, KeepsTheRestOfALambdaBatchWhenOneBodyIsBad) {
  const std::string good = in_lambda_sqs(aws_put());
  const std::string record = good.substr(12, good.size() - 14);
  const std::string body =
      fmt::format(R"({{"Records":[{{"eventSource":"aws:sqs","body":"oops"}},{}]}})", record);
  const Events events = events_of(body);
  EXPECT_THAT(events.events, SizeIs(1));
  ASSERT_THAT(events.bad, SizeIs(1));
  EXPECT_THAT(events.bad[0].reason, HasSubstr("the message is not JSON"));
  EXPECT_EQ(events.bad[0].raw, R"({"eventSource":"aws:sqs","body":"oops"})");
}

TEST(Decode, TakesAnEmptyListForNothingHappened) {
  for (const char* body : {R"({"Records":[]})", "[]"}) {
    const Events events = events_of(body);
    EXPECT_THAT(events.events, IsEmpty());
    EXPECT_THAT(events.bad, IsEmpty());
  }
}

// --- What is no event ---

TEST(Decode, RecognisesTestEvents) {
  const std::string test =
      R"({"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-22T14:01:58.000Z",)"
      R"("Bucket":"bucket1","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4Zkwcmo8vvZ"})";
  for (const std::string& body : {test, in_sns(test), in_lambda_sqs(in_sns(test))}) {
    const Decoded decoded = decode(body);
    const auto* found = std::get_if<TestEvent>(&decoded);
    ASSERT_NE(found, nullptr) << body;
    EXPECT_EQ(found->bucket, "bucket1");
  }
  EXPECT_TRUE(
      std::holds_alternative<TestEvent>(decode(R"({"Service":"S3","Event":"s3:TestEvent"})")));
}

TEST(Decode, GivesTheHandshakesOfSns) {
  const std::string body =
      R"({"Type":"SubscriptionConfirmation","MessageId":"165545c9","Token":"2336412f37",)"
      R"("TopicArn":"arn:aws:sns:us-west-2:123456789012:MyTopic","Message":"You have chosen ...",)"
      R"("SubscribeURL":"https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription",)"
      R"("Timestamp":"2026-11-22T14:01:58.000Z","SignatureVersion":"1","Signature":"EXAM"})";
  const Decoded decoded = decode(body);
  const auto* handshake = std::get_if<SnsHandshake>(&decoded);
  ASSERT_NE(handshake, nullptr);
  EXPECT_EQ(handshake->kind, SnsHandshake::Kind::kSubscribe);
  EXPECT_EQ(handshake->topic_arn, "arn:aws:sns:us-west-2:123456789012:MyTopic");
  EXPECT_EQ(handshake->token, "2336412f37");
  EXPECT_EQ(handshake->subscribe_url,
            "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription");
  const Decoded other = decode(replaced(body, "Subscription", "Unsubscribe"));
  ASSERT_TRUE(std::holds_alternative<SnsHandshake>(other));
  EXPECT_EQ(std::get<SnsHandshake>(other).kind, SnsHandshake::Kind::kUnsubscribe);
  EXPECT_THAT(reason_of(in_sns(body)), HasSubstr("inside of another message"));
}

struct NotOne {
  const char* name;
  std::string body;
  std::string reason;
  Attributes attributes = {};
};

void PrintTo(const NotOne& row, std::ostream* out) { *out << row.name; }

class NoEventTest : public testing::TestWithParam<NotOne> {};

TEST_P(NoEventTest, SaysWhy) {
  EXPECT_THAT(reason_of(GetParam().body, GetParam().attributes), HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Messages, NoEventTest,
    testing::Values(
        NotOne{"Empty", "", "the message is empty"},
        NotOne{"Text", "hello", "the message is not JSON"},
        NotOne{"CutShort", aws_put().substr(0, 300), "the message is not JSON"},
        NotOne{"TwoValues", aws_put() + aws_put(), "the message is not JSON"},
        NotOne{"NotUtf8", "{\"a\":\"\xFF\"}", "the message is not JSON"},
        NotOne{"Number", "5", "the message is not a JSON object"},
        NotOne{"ForeignJson", R"({"foo":{"a":1},"bar":2})",
               "the message is of no known dialect; it has foo, bar"},
        NotOne{"NoFields", "{}", "it has no fields"},
        NotOne{"ManyFields", R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1})",
               "it has a, b, c, d, e, f, ..."},
        NotOne{"RecordsAreNoList", R"({"Records":{}})", "Records is not an array"},
        NotOne{"OtherBridgeEvent",
               R"({"detail-type":"EC2 Instance State-change Notification","detail":{"state":"x"}})",
               "detail.bucket is missing"},
        NotOne{"BridgeEventWithoutKey", replaced(bridge_put(), R"("key")", R"("kex")"),
               "detail.object.key is missing"},
        NotOne{"SnsOfText", in_sns("hello"), "the message is not JSON"},
        NotOne{"SnsOfAnotherType", R"({"Type":"Other","TopicArn":"arn:x"})",
               "Type is none that SNS sends: Other"},
        NotOne{"R2WithoutKey", replaced(r2_put(), R"("key")", R"("kex")"), "object.key is missing"},
        NotOne{"PushWithoutBase64", R"({"message":{"data":"?"}})", "message.data is not base64"},
        NotOne{"PushOfNothing", R"({"message":{"attributes":{}}})", "the message is empty"},
        NotOne{"MessageOfAnother", R"({"message":{"text":"hi"}})", "no known dialect"},
        NotOne{"CloudEventOfAnotherVersion",
               replaced(in_cloud_event(aws_put()), R"("1.0")", R"("0.3")"),
               "specversion 0.3 is not 1.x"},
        NotOne{"CloudEventWithoutData", R"({"specversion":"1.0","type":"x","source":"y","id":"1"})",
               "data_base64 is missing"},
        NotOne{"CloudEventOfSomethingElse", in_cloud_event(R"({"a":1})"), "no known dialect"},
        NotOne{"CloudEventWithEmptyBody", "", "the message is empty",
               cloud_attributes("ce-", "com.amazonaws.s3.ObjectCreated:Put")}),
    [](const auto& row) { return row.param.name; });

struct BadOne {
  const char* name;
  std::string record;
  std::string reason;
};

void PrintTo(const BadOne& row, std::ostream* out) { *out << row.name; }

class BadRecordTest : public testing::TestWithParam<BadOne> {};

TEST_P(BadRecordTest, SaysWhy) {
  const Events events = events_of(fmt::format(R"({{"Records":[{}]}})", GetParam().record));
  EXPECT_THAT(events.events, IsEmpty());
  ASSERT_THAT(events.bad, SizeIs(1));
  EXPECT_THAT(events.bad[0].reason, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Records, BadRecordTest,
    testing::Values(
        BadOne{"OfAnotherService",
               R"({"eventVersion":"1.0","eventSource":"aws:kinesis","eventName":"x"})",
               "eventVersion is not 2.x: 1.0"},
        BadOne{"OfAnotherSource", replaced(aws_record(), "aws:s3", "aws:dynamodb"),
               "eventSource is no object store: aws:dynamodb"},
        BadOne{"WithoutSource", replaced(aws_record(), "eventSource", "x"),
               "eventSource is missing"},
        BadOne{"WithoutName", replaced(aws_record(), "ObjectCreated:Put", ""),
               "the event's kind is empty"},
        BadOne{"WithoutBucket", replaced(aws_record(), "bucket1", ""), "the bucket is empty"},
        BadOne{"WithEmptyKey", replaced(aws_record(), kFormKey, ""), "the key is empty"},
        BadOne{"WithKeyThatIsNoUtf8", replaced(aws_record(), kFormKey, "a%FF"),
               "the key is not UTF-8"},
        BadOne{"WithNulInKey", replaced(aws_record(), kFormKey, "a%00b"), "the key holds a NUL"},
        BadOne{"WithNegativeSize", replaced(aws_record(), R"("size":5)", R"("size":-5)"),
               "s3.object.size is not a whole number"},
        BadOne{"WithNumberAsKey", replaced(aws_record(), "\"" + std::string(kFormKey) + "\"", "7"),
               "s3.object.key is not a string"}),
    [](const auto& row) { return row.param.name; });

// --- Limits ---

TEST(DecodeLimits, RefuseWhatIsTooLarge) {
  const DecodeLimits limits{.bytes = aws_put().size()};
  EXPECT_EQ(reason_of(aws_put(), {}, limits), "it is one");
  EXPECT_THAT(reason_of(aws_put() + " ", {}, limits), HasSubstr("is larger than"));
  EXPECT_THAT(reason_of(std::string(10u << 20, ' ')), HasSubstr("is larger than 1048576 bytes"));
}

TEST(DecodeLimits, RefuseWhatIsTooDeep) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_THAT(reason_of(deep), HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(reason_of(R"({"Records":[{"a":)" + deep + "}]}"), HasSubstr("nested deeper"));
}

TEST(DecodeLimits, RefuseTooManyRecordsWithoutTakingSome) {
  std::string body = R"({"Records":[)" + aws_record();
  for (int i = 0; i < 3; ++i) body += "," + aws_record();
  body += "]}";
  EXPECT_EQ(reason_of(body, {}, {.records = 4}), "it is one");
  EXPECT_EQ(reason_of(body, {}, {.records = 3}), "the message has more than 3 records");
  EXPECT_EQ(reason_of("[1,2,3,4]", {}, {.records = 3}), "the message has more than 3 records");
}

TEST(DecodeLimits, RefuseTooManyEnvelopes) {
  const std::string body = in_sns(in_sns(aws_put()));
  EXPECT_EQ(reason_of(body, {}, {.envelopes = 2}), "it is one");
  EXPECT_EQ(reason_of(body, {}, {.envelopes = 1}), "the message has more than 1 envelopes");
}

TEST(DecodeLimits, RefuseTooManyAttributes) {
  Attributes attributes = gcs_attributes();
  const DecodeLimits limits{.attributes = attributes.size()};
  EXPECT_EQ(reason_of(gcs_resource(), attributes, limits), "it is one");
  EXPECT_EQ(reason_of(in_pub_sub(gcs_resource(), attributes), {}, limits), "it is one");
  attributes.emplace_back("more", "");
  EXPECT_THAT(reason_of(gcs_resource(), attributes, limits), HasSubstr("attributes"));
  EXPECT_THAT(reason_of(in_pub_sub(gcs_resource(), attributes), {}, limits),
              HasSubstr("attributes"));
  attributes.back().second.assign(65 << 10, 'x');
  EXPECT_THAT(reason_of(gcs_resource(), attributes), HasSubstr("65536 bytes"));
}

TEST(Decode, IsNotConfusedByAttributesItDoesNotUse) {
  const Attributes attributes{{"content-type", "application/json"},
                              {"Host", "example"},
                              {"ce-custom", "x"},
                              {"eventType", "something"}};
  EXPECT_EQ(one_event(aws_put(), attributes).dialect, Dialect::kAws);
}

}  // namespace
}  // namespace headrace
