// What `headrace doctor` says of a bucket, a queue and their notifications, by what a scripted
// service answers.

#include "app/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <map>

#include "core/error.h"
#include "net/http_server.h"
#include "setup/notification.h"
#include "setup/policy.h"
#include "testing/manual_clock.h"
#include "testing/temp_folder.h"

namespace headrace {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::string error_xml(const std::string& code, const std::string& more = "") {
  return "<Error><Code>" + code + "</Code><Message>said so</Message>" + more + "</Error>";
}

/// S3 and SQS behind one address, with the bucket `inbox` and the queue `landing`, as they should
/// be; a test takes something away.
class FakeCloud {
 public:
  FakeCloud(const Executor& executor, ManualClock& its_clock)
      : clock(its_clock),
        server_(
            executor, {},
            [this](ServedRequest request) -> Task<ServedAnswer> {
              co_return request.headers.find("X-Amz-Target") != nullptr ? queue(request)
                                                                        : bucket(request);
            },
            silent_log(), clock) {}

  Task<> run() { return server_.run(); }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_.port()); }

  ManualClock& clock;
  std::optional<ServedAnswer> all_of_s3;  ///< Whatever S3 is asked.
  std::optional<ServedAnswer> all_of_sqs;
  ServedAnswer its_list{200, {}, "<ListAllMyBucketsResult/>"};
  std::optional<ServedAnswer> its_bucket;  ///< Whatever is asked of the bucket.
  bool obeys_conditions = true;
  bool has_bucket = true;
  bool has_queue = true;
  std::string policy = setup::with_permission(
      "", {"headrace-lake-raw", "arn:aws:sqs:eu-central-1:1:landing", "arn:aws:s3:::inbox"});
  std::string notification = setup::with_rule(
      "", {"headrace-lake-raw", "arn:aws:sqs:eu-central-1:1:landing", setup::events_of("created")});

 private:
  ServedAnswer queue(const ServedRequest& request) const {
    if (all_of_sqs) return *all_of_sqs;
    if (!has_queue) {
      return {400, {}, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"})"};
    }
    if (request.headers.get("X-Amz-Target").ends_with("GetQueueUrl")) {
      return {200, {}, R"({"QueueUrl":"http://127.0.0.1/1/landing"})"};
    }
    JsonWriter json;
    json.begin_object().key("Attributes").begin_object();
    json.key("QueueArn").string("arn:aws:sqs:eu-central-1:1:landing");
    json.key("VisibilityTimeout").string("30").key("MessageRetentionPeriod").string("345600");
    if (!policy.empty()) json.key("Policy").string(policy);
    json.end_object().end_object();
    return {200, {}, std::move(json).text()};
  }

  ServedAnswer bucket(const ServedRequest& request) {
    if (all_of_s3) return *all_of_s3;
    if (request.path == "/") return its_list;
    if (its_bucket) return *its_bucket;
    if (!has_bucket) return {404, {}, error_xml("NoSuchBucket")};
    if (request.query.starts_with("notification")) return {200, {}, notification};
    if (request.path == "/inbox" || request.path == "/inbox/") return {200, {}, ""};
    return object(request);
  }

  /// Objects, as far as the probe of conditions and the state of setup go.
  ServedAnswer object(const ServedRequest& request) {
    const auto found = etags_.find(request.path);
    const bool there = found != etags_.end();
    if (request.query.starts_with("uploads")) {
      return {200,
              {},
              "<InitiateMultipartUploadResult><UploadId>u</UploadId>"
              "</InitiateMultipartUploadResult>"};
    }
    const bool of_upload = request.query.contains("uploadId=");
    if (of_upload && request.method == "PUT") return {200, {{"ETag", "\"part\""}}, ""};
    if (of_upload && request.method == "DELETE") return {204, {}, ""};
    if (request.method == "GET" || request.method == "HEAD") {
      return {404, {}, error_xml("NoSuchKey")};
    }
    const std::string_view match = request.headers.get("If-Match");
    const bool lost = (request.headers.get("If-None-Match") == "*" && there) ||
                      (!match.empty() && (!there || match != found->second));
    if (lost && obeys_conditions) return {412, {}, error_xml("PreconditionFailed")};
    if (request.method == "DELETE") {
      etags_.erase(request.path);
      return {204, {}, ""};
    }
    const std::string etag = fmt::format("\"{:032x}\"", ++writes_);
    etags_[request.path] = etag;
    if (request.method == "POST") {
      return {200,
              {},
              "<CompleteMultipartUploadResult><ETag>" + etag +
                  "</ETag></CompleteMultipartUploadResult>"};
    }
    if (request.headers.find("x-amz-copy-source") == nullptr) return {200, {{"ETag", etag}}, ""};
    return {200, {}, "<CopyObjectResult><ETag>" + etag + "</ETag></CopyObjectResult>"};
  }

  std::map<std::string, std::string> etags_;
  int writes_ = 0;
  HttpServer server_;
};

class DoctorTest : public testing::Test {
 protected:
  std::vector<Finding> examine_stack() {
    const std::string text = fmt::format(
        R"(version: 1
name: lake
state: {0}
stores:
  prod: {{ kind: s3, endpoint: "{1}", region: eu-central-1, credentials: &keys }}
sources:
  raw: {{ kind: sqs, queue: landing, endpoint: "{1}", region: eu-central-1, store: prod,
         bucket: inbox, credentials: &keys }}
)",
        folder_ / "state", cloud_.url());
    const std::string keys = "{ from: keys, access_key: AKIA1, secret_key: hush-hush }";
    std::string with_keys = text;
    for (std::size_t at; (at = with_keys.find("&keys")) != std::string::npos;) {
      with_keys.replace(at, 5, keys);
    }
    const LoadedStack loaded = load_stack_text("headrace.yaml", with_keys, folder_.path());
    if (!loaded.stack) throw Error(ErrorKind::kBug, loaded.diagnostics);
    StackSetup setup(*loaded.stack, {loop_, clock_, random_, silent_log()});
    boost::asio::cancellation_signal stop;
    std::vector<Finding> findings;
    bool stopped = false;
    boost::asio::co_spawn(loop_, cloud_.run(),
                          boost::asio::bind_cancellation_slot(
                              stop.slot(), [&](std::exception_ptr) { stopped = true; }));
    std::optional<std::exception_ptr> ended;
    boost::asio::co_spawn(
        loop_,
        examine(*loaded.stack, setup, clock_, [&](const Finding& one) { findings.push_back(one); }),
        [&](std::exception_ptr failed) { ended = failed; });
    while (!ended) loop_.run_one();
    stop.emit(boost::asio::cancellation_type::terminal);
    while (!stopped) loop_.run_one();
    if (*ended) std::rethrow_exception(*ended);
    return findings;
  }

  TempFolder folder_;
  boost::asio::io_context loop_;  // Outlives the clocks, which have timers of it.
  ManualClock clock_;
  ManualClock its_clock_;
  SeededRandom random_{1};
  FakeCloud cloud_{loop_.get_executor(), its_clock_};
};

std::string text_of(const Finding& finding) {
  return fmt::format("{}, {}: {}; fix: {}", finding.about, finding.check, finding.says,
                     finding.fix);
}

TEST_F(DoctorTest, FindsNothingWhereAllIsAsItShouldBe) {
  const auto findings = examine_stack();
  std::vector<std::string> looked_at;
  for (const Finding& finding : findings) {
    looked_at.push_back(finding.about + ", " + finding.check);
    // The machine that runs this may be short of space.
    EXPECT_TRUE(finding.good || finding.check == "folder") << text_of(finding);
  }
  EXPECT_THAT(looked_at, testing::ElementsAre("ledger, folder", "store prod, endpoint",
                                              "store prod, credentials", "store prod, clock",
                                              "store prod, reachable",
                                              "bucket prod://inbox, conditional writes",
                                              "source raw, queue", "setup, plan"));
}

/// Something is wrong: one of the findings says what, and what to do.
struct Trouble {
  const char* name;
  std::function<void(FakeCloud&)> make;
  const char* about;
  const char* check;
  const char* says;
  const char* fix;
};

class DoctorTroubleTest : public DoctorTest, public testing::WithParamInterface<Trouble> {};

TEST_P(DoctorTroubleTest, IsSaidWithWhatToDo) {
  const Trouble& row = GetParam();
  row.make(cloud_);
  std::vector<std::string> found;
  for (const Finding& finding : examine_stack()) {
    EXPECT_THAT(text_of(finding), Not(HasSubstr("hush")));
    if (finding.good) continue;
    EXPECT_NE(finding.fix, "") << text_of(finding);
    if (finding.about != row.about || finding.check != row.check) continue;
    found.push_back(finding.says + "; fix: " + finding.fix);
  }
  EXPECT_THAT(found,
              Contains(AllOf(HasSubstr(row.says), HasSubstr("; fix: "), HasSubstr(row.fix))));
}

ServedAnswer refusal(int status, const std::string& code, Headers headers = {}) {
  return {status, std::move(headers), error_xml(code)};
}

INSTANTIATE_TEST_SUITE_P(
    Troubles, DoctorTroubleTest,
    testing::Values(
        Trouble{"WrongSecret",
                [](FakeCloud& cloud) { cloud.all_of_s3 = refusal(403, "SignatureDoesNotMatch"); },
                "store prod", "reachable", "403 SignatureDoesNotMatch",
                "the secret key is not the one of access key AKIA1"},
        Trouble{"UnknownAccessKey",
                [](FakeCloud& cloud) { cloud.all_of_s3 = refusal(403, "InvalidAccessKeyId"); },
                "store prod", "reachable", "403 InvalidAccessKeyId",
                "the store does not know access key AKIA1"},
        Trouble{"ExpiredToken",
                [](FakeCloud& cloud) { cloud.all_of_s3 = refusal(400, "ExpiredToken"); },
                "store prod", "reachable", "400 ExpiredToken", "get new ones"},
        Trouble{"ClockAnHourBehind", [](FakeCloud& cloud) { cloud.clock.advance(1h); },
                "store prod", "clock", "this machine's clock is 1h behind", "set the clock (NTP)"},
        Trouble{"ClockFarOffAndRefusedForIt",
                [](FakeCloud& cloud) {
                  cloud.clock.advance(1h);
                  cloud.all_of_s3 = refusal(403, "RequestTimeTooSkewed");
                },
                "store prod", "reachable", "403 RequestTimeTooSkewed", "set it"},
        Trouble{"StoreThatIsDown",
                [](FakeCloud& cloud) { cloud.its_list = refusal(500, "InternalError"); },
                "store prod", "reachable", "it answers 500", "look at endpoint, proxy and network"},
        Trouble{"WrongRegion",
                [](FakeCloud& cloud) {
                  cloud.its_bucket =
                      refusal(301, "PermanentRedirect", {{"x-amz-bucket-region", "us-west-2"}});
                },
                "bucket prod://inbox", "exists", "301", "set `endpoint` and `region`"},
        Trouble{"BucketThatMayNotBeSeen",
                [](FakeCloud& cloud) { cloud.its_bucket = refusal(403, "AccessDenied"); },
                "bucket prod://inbox", "exists", "403", "`headrace iam-policy`"},
        Trouble{"MissingBucket", [](FakeCloud& cloud) { cloud.has_bucket = false; },
                "bucket prod://inbox", "exists", "there is no such bucket", "headrace apply"},
        Trouble{"IgnoredConditions", [](FakeCloud& cloud) { cloud.obeys_conditions = false; },
                "bucket prod://inbox", "conditional writes", "If-None-Match ignored",
                "another store"},
        Trouble{"MissingQueue", [](FakeCloud& cloud) { cloud.has_queue = false; }, "source raw",
                "queue", "there is no queue landing", "headrace apply"},
        Trouble{"QueueOfOthers",
                [](FakeCloud& cloud) {
                  cloud.all_of_sqs = ServedAnswer{403, {}, R"({"__type":"AccessDenied"})"};
                },
                "source raw", "queue", "SQS GetQueueUrl: 403 AccessDenied",
                "region, endpoint and credentials"},
        Trouble{"MissingNotification", [](FakeCloud& cloud) { cloud.notification = ""; }, "setup",
                "plan", "+ notification headrace-lake-raw of prod://inbox", "headrace apply"},
        Trouble{"NotificationOfOtherEvents",
                [](FakeCloud& cloud) {
                  cloud.notification = setup::with_rule(
                      "", {"headrace-lake-raw", "arn:aws:sqs:eu-central-1:1:landing",
                           setup::events_of("created"), "elsewhere/"});
                },
                "setup", "plan", "prefix elsewhere/ -> (none)", "headrace apply"},
        Trouble{"OverlappingNotification",
                [](FakeCloud& cloud) {
                  cloud.notification = setup::with_rule(
                      "",
                      {"theirs", "arn:aws:sqs:eu-central-1:1:other", setup::events_of("created")});
                },
                "setup", "plan", "the notification `theirs` of somebody else", "narrow one"},
        Trouble{"MissingQueuePolicy", [](FakeCloud& cloud) { cloud.policy = ""; }, "setup", "plan",
                "+ permission headrace-lake-raw on queue landing: sender bucket inbox",
                "headrace apply"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace headrace
