#include "event/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace headrace {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

Event an_event() {
  Event event;
  event.id = "0123-uuid";
  event.detail_type = "Object Created";
  event.time = *parse_time("2026-01-31T09:08:07.123456Z");
  event.store = "lake";
  event.origin = "landing";
  event.object = {"mydataset", "dataset/red flower+a@b é.json"};
  event.size = 5;
  event.etag = Etag{"5d41402abc4b2a76b9719d911017c592"};
  event.version_id = "v7";
  event.sequencer = "0055AED6DCD90281E5";
  event.producer = "watch";
  event.key_fields = {{"date", "2026-01-31"}, {"name", "red flower+a@b é"}};
  return event;
}

constexpr std::string_view kSmallest =
    R"({"id":"1","detail-type":"Object Created","time":"2026-01-31T09:08:07Z",)"
    R"("detail":{"bucket":{"name":"b"},"object":{"key":"k"}}})";

TEST(Event, IsWrittenInTheShapeOfEventBridge) {
  Event event = an_event();
  event.line = Event::Line{17, R"({"bad":)"};
  EXPECT_EQ(to_json(event),
            R"({"version":"0","id":"0123-uuid","detail-type":"Object Created","source":"aws.s3",)"
            R"("time":"2026-01-31T09:08:07.123456Z","detail":{"version":"0",)"
            R"("bucket":{"name":"mydataset"},"object":{"key":"dataset/red flower+a@b é.json",)"
            R"("size":5,"etag":"5d41402abc4b2a76b9719d911017c592","version-id":"v7",)"
            R"("sequencer":"0055AED6DCD90281E5"},"store":"lake","origin":"landing",)"
            R"("producer":"watch","key_fields":{"date":"2026-01-31","name":"red flower+a@b é"},)"
            R"("line":{"number":17,"text":"{\"bad\":"}}})");
}

TEST(Event, LeavesOutWhatIsNotKnown) {
  Event event;
  event.object = {"b", "k"};
  EXPECT_EQ(to_json(event),
            R"({"version":"0","id":"","detail-type":"Object Created","source":"aws.s3",)"
            R"("time":"1970-01-01T00:00:00Z","detail":{"version":"0","bucket":{"name":"b"},)"
            R"("object":{"key":"k"}}})");
}

TEST(Event, ReadsBackWhatItWrote) {
  Event event = an_event();
  EXPECT_EQ(event_from_json(to_json(event)), event);
  event.line = Event::Line{1, "quote \" backslash \\ nul \0 tab \t"s};
  EXPECT_EQ(event_from_json(to_json(event)), event);
  event.size = UINT64_MAX;
  event.etag = Etag{""};
  EXPECT_EQ(event_from_json(to_json(event)), event);
}

TEST(Event, KeepsEveryByteOfALineThatIsNoUtf8) {
  Event event = an_event();
  event.line = Event::Line{3, std::string("{\"a\":\"\xFF\xFE\0\x80\"}", 11)};
  EXPECT_THAT(to_json(event), HasSubstr(R"("line":{"number":3,"base64":"eyJhIjoi//4AgCI="}})"));
  EXPECT_EQ(event_from_json(to_json(event)), event);
}

TEST(Event, TakesItsKindFromTheDetailType) {
  const std::pair<std::string_view, EventKind> rows[] = {
      {"Object Created", EventKind::kCreated},
      {"Object Deleted", EventKind::kDeleted},
      {"Object Tags Added", EventKind::kTagsChanged},
      {"Object Tags Deleted", EventKind::kTagsChanged},
      {"Object Restore Completed", EventKind::kOther},
      {"s3:Replication:OperationFailedReplication", EventKind::kOther},
  };
  for (const auto& [detail_type, kind] : rows) {
    Event event = an_event();
    event.detail_type = detail_type;
    event.kind = kind;
    EXPECT_EQ(event_from_json(to_json(event)), event) << detail_type;
  }
}

TEST(Event, ReadsAnEventBridgeEventAsAwsSendsIt) {
  const Event event = event_from_json(
      R"({"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Deleted",
          "source":"aws.s3","account":"123456789012","time":"2021-11-12T00:00:00Z",
          "region":"ca-central-1","resources":["arn:aws:s3:::example-bucket"],
          "detail":{"version":"0","bucket":{"name":"example-bucket"},
                    "object":{"key":"a b","version-id":null,"sequencer":"617f08299329d189"},
                    "request-id":"N4N7GDK58NMKJ12R","reason":"DeleteObject",
                    "deletion-type":"Delete Marker Created"}})");
  EXPECT_EQ(event.kind, EventKind::kDeleted);
  EXPECT_EQ(event.object, (ObjectKey{"example-bucket", "a b"}));
  EXPECT_EQ(event.sequencer, "617f08299329d189");
  EXPECT_EQ(event.version_id, "");
  EXPECT_EQ(event.size, std::nullopt);
  EXPECT_EQ(event.etag, std::nullopt);
  EXPECT_EQ(format_time(event.time), "2021-11-12T00:00:00Z");
}

struct BadEvent {
  const char* name;
  std::string_view from;  // Replaced in kSmallest ...
  std::string_view to;    // ... by this.
  std::string_view message;
};

class BadEventTest : public testing::TestWithParam<BadEvent> {};

TEST_P(BadEventTest, IsCorruptAndSaysWhere) {
  const BadEvent& row = GetParam();
  std::string text(kSmallest);
  ASSERT_NO_THROW(event_from_json(text));
  text.replace(text.find(row.from), row.from.size(), row.to);
  try {
    event_from_json(text);
    FAIL() << "taken: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.what(), HasSubstr(row.message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Events, BadEventTest,
    testing::Values(BadEvent{"NoJson", "}}}", "}}", "the message is not JSON"},
                    BadEvent{"TwoValues", "}}}", "}}}{}", "the message is not JSON"},
                    BadEvent{"NoObject", kSmallest, "[]", "the message is not a JSON object"},
                    BadEvent{"NoId", R"("id":"1",)", "", "id is missing"},
                    BadEvent{"NumberAsId", R"("1")", "1", "id is not a string"},
                    BadEvent{"NoDetailType", "detail-type", "type", "detail-type is missing"},
                    BadEvent{"NoTime", "time", "Time", "time is missing"},
                    BadEvent{"TimeOfAGhost", "2026-01-31T09:08:07Z", "0.000000",
                             "time is no RFC 3339 time"},
                    BadEvent{"TimeBeforeYearZero", "2026-01-31T09:08:07Z",
                             "0000-01-01T00:00:00+01:00", "time is no RFC 3339 time"},
                    BadEvent{"NoDetail", R"("detail":)", R"("x":)", "detail is missing"},
                    BadEvent{"DetailIsText", R"({"bucket":{"name":"b"},"object":{"key":"k"}})",
                             R"("x")", "detail is not a JSON object"},
                    BadEvent{"NoBucket", "bucket", "Bucket", "detail.bucket is missing"},
                    BadEvent{"NoKey", R"("key":"k")", "", "detail.object.key is missing"},
                    BadEvent{"NegativeSize", R"("key":"k")", R"("key":"k","size":-1)",
                             "detail.object.size is not a whole number"},
                    BadEvent{"SizeAsText", R"("key":"k")", R"("key":"k","size":"1")",
                             "detail.object.size is not a whole number"},
                    BadEvent{"KeyFieldIsANumber", R"("bucket")", R"("key_fields":{"a":1},"bucket")",
                             "detail.key_fields.a is not a string"},
                    BadEvent{"LineWithoutText", R"("bucket")", R"("line":{"number":1},"bucket")",
                             "detail.line.text is missing"},
                    BadEvent{"LineNotBase64", R"("bucket")", R"("line":{"base64":"?"},"bucket")",
                             "detail.line.base64 is not base64"}),
    [](const auto& row) { return row.param.name; });

TEST(Event, RefusesWhatIsNestedTooDeep) {
  std::string text(kSmallest);
  text.insert(1, R"("x":)" + std::string(100, '[') + std::string(100, ']') + ",");
  EXPECT_THROW(event_from_json(text), Error);
}

}  // namespace
}  // namespace headrace
