// What stores really answer now and then, given by a scripted peer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <functional>

#include "core/error.h"
#include "store/s3/checksum.h"
#include "store/s3/fields.h"
#include "store/s3/s3_store.h"
#include "testing/http_peer.h"
#include "testing/manual_clock.h"
#include "testing/run_task.h"

namespace headrace::s3 {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string error_xml(const std::string& code, const std::string& more = "") {
  return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>said so</Message>" +
         more + "</Error>";
}

std::string object_answer(const std::string& body = "", Headers headers = {}) {
  headers.set("ETag", "\"e1\"");
  return answer_text(200, body, headers);
}

/// Gives "AKIA1" until that is refused, then "AKIA2".
class EndingCredentials final : public CredentialsProvider {
 public:
  Task<std::optional<Credentials>> get() override {
    co_return Credentials{.access_key = fmt::format("AKIA{}", refused_ + 1),
                          .secret_key = "hush-hush",
                          .session_token = "token",
                          .expires = {},
                          .origin = "a test"};
  }
  void refused(const Credentials&) override { ++refused_; }

 private:
  int refused_ = 0;
};

class OddAnswersTest : public testing::Test {
 protected:
  using Client = std::function<Task<>(S3Store&)>;

  OddAnswersTest() {
    config_.name = "s3";
    config_.region = "us-east-1";
    config_.part_retry = {3, {Duration::zero(), Duration::zero()}, Backoff{0s, 0s}};
    config_.parallel_parts = 1;
  }

  /// Lets `client` talk to a peer that gives these answers; all must be taken. "{peer}" in them
  /// stands for the peer's own address.
  void talk(std::vector<std::string> answers, Client client) {
    run_task(converse(std::move(answers), std::move(client)));
  }

  /// The error of a call that must fail, or none.
  std::optional<Error> error_of_list(std::vector<std::string> answers) {
    std::optional<Error> caught;
    talk(std::move(answers), [&](S3Store& store) -> Task<> {
      try {
        co_await store.list("bucket", {});
      } catch (const Error& error) {
        caught = error;
      }
    });
    return caught;
  }

  const std::string& request(std::size_t number) const { return requests_.at(number); }

  ManualClock clock_;
  Clock* time_ = &clock_;  // Pauses between tries pass only on the machine's clock.
  SeededRandom random_{1};
  S3StoreConfig config_;
  std::vector<std::string> requests_;
  const ObjectKey key_{"bucket", "folder/a b"};

 private:
  Task<> converse(std::vector<std::string> answers, Client client) {
    using namespace boost::asio::experimental::awaitable_operators;
    const auto executor = co_await boost::asio::this_coro::executor;
    HttpPeer peer(executor);
    for (std::string& answer : answers) {
      const std::string mark = "{peer}";
      const std::size_t at = answer.find(mark);
      if (at != std::string::npos) answer.replace(at, mark.size(), peer.url(""));
    }
    config_.endpoint = peer.url("/");
    const auto store = make_s3_store(config_, executor, *time_, random_,
                                     std::make_unique<HttpClient>(executor, *time_),
                                     std::make_unique<EndingCredentials>());
    co_await (client(*store) && peer.answer_all(std::move(answers)));
    requests_ = peer.requests();
  }
};

TEST_F(OddAnswersTest, FollowsABucketToItsRegionAndRemembersIt) {
  talk({answer_text(301, "", {{"x-amz-bucket-region", "eu-west-1"}}), object_answer(),
        object_answer()},
       [&](S3Store& store) -> Task<> {
         EXPECT_TRUE(co_await store.head(key_));
         EXPECT_TRUE(co_await store.head(key_));
       });
  EXPECT_THAT(request(0), HasSubstr("/us-east-1/s3/aws4_request"));
  EXPECT_THAT(request(1), HasSubstr("/eu-west-1/s3/aws4_request"));
  EXPECT_THAT(request(2), HasSubstr("/eu-west-1/s3/aws4_request"));
}

TEST_F(OddAnswersTest, LearnsTheRegionFromARefusedSignature) {
  talk(
      {answer_text(400, error_xml("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")),
       object_answer("hello")},
      [&](S3Store& store) -> Task<> { EXPECT_EQ(co_await read_object(store, key_, 10), "hello"); });
  EXPECT_THAT(request(1), HasSubstr("/eu-west-1/s3/aws4_request"));
}

TEST_F(OddAnswersTest, SaysWhichRegionToSetWhenThatDoesNotHelp) {
  const std::string moved =
      answer_text(301, error_xml("PermanentRedirect"), {{"x-amz-bucket-region", "eu-west-1"}});
  const auto error = error_of_list({moved, answer_text(301, error_xml("PermanentRedirect"))});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error->what(), HasSubstr("set `endpoint` and `region`"));
}

TEST_F(OddAnswersTest, FollowsARedirectToAnotherPlaceOnce) {
  talk({answer_text(307, "", {{"Location", "{peer}/elsewhere/key"}}), object_answer()},
       [&](S3Store& store) -> Task<> { EXPECT_TRUE(co_await store.head(key_)); });
  EXPECT_THAT(request(1), HasSubstr("HEAD /elsewhere/key HTTP/1.1"));
}

TEST_F(OddAnswersTest, DoesNotFollowARedirectToTheSamePlace) {
  talk({answer_text(307, "", {{"Location", "{peer}/bucket/folder/a%20b"}})},
       [&](S3Store& store) -> Task<> {
         try {
           co_await store.head(key_);
           ADD_FAILURE();
         } catch (const Error& error) {
           EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
         }
       });
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(OddAnswersTest, LearnsHowFarItsClockIsOffAndSignsAgain) {
  const std::string date = format_http_date(clock_.now() + 1h);
  talk({answer_text(403, error_xml("RequestTimeTooSkewed"), {{"Date", date}}), object_answer("x")},
       [&](S3Store& store) -> Task<> {
         EXPECT_EQ(co_await read_object(store, key_, 10), "x");
         EXPECT_EQ(co_await store.clock_offset(), Duration(1h));
       });
  EXPECT_THAT(request(0), HasSubstr("20270115T080000Z"));
  EXPECT_THAT(request(1), HasSubstr("20270115T090000Z"));
}

/// HEAD has no body that could name the reason.
TEST_F(OddAnswersTest, LearnsTheTimeFromAnAnswerWithoutABody) {
  const std::string date = format_http_date(clock_.now() - 1h);
  talk({answer_text(403, "", {{"Date", date}}), object_answer()},
       [&](S3Store& store) -> Task<> { EXPECT_TRUE(co_await store.head(key_)); });
  EXPECT_THAT(request(1), HasSubstr("20270115T070000Z"));
}

TEST_F(OddAnswersTest, SaysSoWhenTheClockStaysOff) {
  const std::string date = format_http_date(clock_.now() + 1h);
  const std::string late = answer_text(403, error_xml("RequestTimeTooSkewed"), {{"Date", date}});
  const auto error = error_of_list({late, late});
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("this machine's clock is 1h off; set it"));
}

TEST_F(OddAnswersTest, FetchesCredentialsAnewOnceWhenTheyAreRefused) {
  talk({answer_text(400, error_xml("ExpiredToken")), object_answer("x")},
       [&](S3Store& store) -> Task<> { EXPECT_EQ(co_await read_object(store, key_, 10), "x"); });
  EXPECT_THAT(request(0), HasSubstr("Credential=AKIA1/"));
  EXPECT_THAT(request(1), HasSubstr("Credential=AKIA2/"));

  const std::string ended = answer_text(400, error_xml("ExpiredToken"));
  const auto error = error_of_list({ended, ended});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kInvalid);
  EXPECT_THAT(error->what(), HasSubstr("get new ones"));
  EXPECT_THAT(error->what(), Not(HasSubstr("hush-hush")));
}

TEST_F(OddAnswersTest, AnErrorInTheBodyOfA200IsOne) {
  talk({object_answer(), answer_text(200, "\n\n  " + error_xml("InternalError"))},
       [&](S3Store& store) -> Task<> {
         try {
           co_await store.copy(key_, {"bucket", "copy"}, {});
           ADD_FAILURE();
         } catch (const Error& error) {
           EXPECT_EQ(error.kind(), ErrorKind::kTransient);
           EXPECT_THAT(error.what(), HasSubstr("InternalError: said so"));
         }
       });
}

TEST_F(OddAnswersTest, KeepsThePauseThatTheStoreAskedFor) {
  const auto error =
      error_of_list({answer_text(503, error_xml("SlowDown"), {{"Retry-After", "7"}})});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kTransient);
  EXPECT_EQ(error->retry_after(), 7s);
  EXPECT_THAT(error->what(), HasSubstr("s3://bucket: GET: 503 SlowDown: said so"));
}

TEST_F(OddAnswersTest, BrokenXmlIsTransient) {
  for (const char* body : {"<ListBucketResult><Contents>", "", "<html>hello</html>"}) {
    const auto error = error_of_list({answer_text(200, body)});
    ASSERT_TRUE(error) << body;
    EXPECT_EQ(error->kind(), ErrorKind::kTransient) << body;
  }
}

TEST_F(OddAnswersTest, ABodyThatBreaksOffIsTransient) {
  talk({"HTTP/1.1 200 OK\r\nETag: \"e1\"\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhello"},
       [&](S3Store& store) -> Task<> {
         auto object = co_await store.get(key_);
         try {
           co_await read_all(*object->body, 100);
           ADD_FAILURE();
         } catch (const Error& error) {
           EXPECT_EQ(error.kind(), ErrorKind::kTransient);
         }
       });
}

TEST_F(OddAnswersTest, BytesThatAreNotThoseOfTheChecksumAreCorrupt) {
  const auto sums = {std::pair("x-amz-checksum-crc32", checksum_text(crc32("hello"))),
                     std::pair("x-amz-checksum-crc64nvme", checksum_text(crc64_nvme("hello")))};
  for (const auto& [header, sum] : sums) {
    talk({object_answer("hello", {{header, sum}}), object_answer("hellO", {{header, sum}}),
          object_answer("hellO", {{header, sum + "-2"}})},
         [&](S3Store& store) -> Task<> {
           EXPECT_EQ(co_await read_object(store, key_, 10), "hello");
           try {
             co_await read_object(store, key_, 10);
             ADD_FAILURE();
           } catch (const Error& error) {
             EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
           }
           // The sum of the parts' sums says nothing of the bytes.
           EXPECT_EQ(co_await read_object(store, key_, 10), "hellO");
         });
  }
}

constexpr const char* kBegun =
    "<InitiateMultipartUploadResult><UploadId>up1</UploadId></InitiateMultipartUploadResult>";
constexpr const char* kFirst = "0cc175b9c0f1b6a831c399e269772661";
constexpr const char* kSecond = "92eb5ffee6ae2fec3ad71c777531578f";

std::string etag_answer(const std::string& etag) {
  return answer_text(200, "", {{"ETag", "\"" + etag + "\""}});
}

/// The etag of an object of these two parts.
std::string joined_etag() {
  const auto raw = [](std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
  };
  std::string hex;
  for (const char c : md5_raw(raw(kFirst) + raw(kSecond))) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return hex + "-2";
}

TEST_F(OddAnswersTest, RecognisesACompletionWhoseAnswerWasLost) {
  config_.part_size = 4;
  time_ = &real_clock();
  talk({answer_text(200, kBegun), etag_answer(kFirst), etag_answer(kSecond),
        answer_text(500, error_xml("InternalError")), answer_text(404, error_xml("NoSuchUpload")),
        etag_answer(joined_etag())},
       [&](S3Store& store) -> Task<> {
         const auto etag = co_await store.put(key_, "12345");
         EXPECT_EQ(etag, Etag{joined_etag()});
       });
  EXPECT_THAT(request(5), HasSubstr("HEAD /bucket/folder/a%20b"));
}

TEST_F(OddAnswersTest, TakesAnotherObjectForNoCompletionOfItsOwn) {
  config_.part_size = 4;
  time_ = &real_clock();
  talk({answer_text(200, kBegun), etag_answer(kFirst), etag_answer(kSecond),
        answer_text(500, error_xml("InternalError")), answer_text(404, error_xml("NoSuchUpload")),
        etag_answer("another"), answer_text(204)},
       [&](S3Store& store) -> Task<> { EXPECT_THROW(co_await store.put(key_, "12345"), Error); });
  EXPECT_THAT(request(6), HasSubstr("DELETE /bucket/folder/a%20b?uploadId=up1"));
}

/// The same parts may be there already, by someone else's hand.
TEST_F(OddAnswersTest, ALostConditionIsNoLostAnswer) {
  config_.part_size = 4;
  time_ = &real_clock();
  talk({answer_text(200, kBegun), etag_answer(kFirst), etag_answer(kSecond),
        answer_text(404, error_xml("NoSuchUpload")), answer_text(204)},
       [&](S3Store& store) -> Task<> { EXPECT_THROW(co_await store.put(key_, "12345"), Error); });
}

TEST_F(OddAnswersTest, MakesUpForAnEtagThatWasLeftOut) {
  config_.part_size = 4;
  time_ = &real_clock();
  talk({answer_text(200, kBegun), etag_answer(kFirst), etag_answer(kSecond),
        answer_text(200,
                    "<CompleteMultipartUploadResult><ETag></ETag>"
                    "</CompleteMultipartUploadResult>")},
       [&](S3Store& store) -> Task<> {
         EXPECT_EQ(co_await store.put(key_, "12345"), Etag{joined_etag()});
       });
}

TEST_F(OddAnswersTest, SendsAPartAgainAndThrowsThePartsAwayWhenThatDoesNotHelp) {
  config_.part_size = 4;
  time_ = &real_clock();
  talk({answer_text(200, kBegun), answer_text(503, error_xml("SlowDown")), etag_answer(kFirst),
        answer_text(403, error_xml("AccessDenied")), answer_text(204)},
       [&](S3Store& store) -> Task<> { EXPECT_THROW(co_await store.put(key_, "12345"), Error); });
  EXPECT_THAT(request(2), HasSubstr("partNumber=1"));
  EXPECT_THAT(request(2), HasSubstr("1234"));
  EXPECT_THAT(request(4), HasSubstr("DELETE"));
}

TEST_F(OddAnswersTest, AStoreThatIgnoresConditionsIsFoundOut) {
  const std::string done = etag_answer("e1");
  const std::string copied =
      answer_text(200, "<CopyObjectResult><ETag>e1</ETag></CopyObjectResult>");
  const std::string gone = answer_text(204);
  // PUT, PUT If-None-Match; twice PUT and two PUT If-Match; PUT; COPY, then DELETEs.
  talk({done, done, done, done, done, done, done, done, done, copied, gone, gone, gone},
       [&](S3Store& store) -> Task<> {
         try {
           co_await store.put_if_absent(key_, "x");
           ADD_FAILURE();
         } catch (const Error& error) {
           EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
           EXPECT_THAT(error.what(), HasSubstr("does not obey If-None-Match"));
         }
         // Known now: no further request.
         EXPECT_EQ(co_await store.conditions("bucket"), ConditionSupport{});
       });
}

TEST_F(OddAnswersTest, PutsBucketsWhereTheyBelongInTheAddress) {
  struct Row {
    const char* region;
    const char* bucket;
    S3Addressing addressing;
    const char* expected;
  };
  const Row rows[] = {
      {"eu-west-1", "bucket", S3Addressing::kAuto,
       "https://bucket.s3.eu-west-1.amazonaws.com/k%2B"},
      {"eu-west-1", "dotted.name", S3Addressing::kAuto,
       "https://s3.eu-west-1.amazonaws.com/dotted.name/k%2B"},
      {"eu-west-1", "bucket", S3Addressing::kPath,
       "https://s3.eu-west-1.amazonaws.com/bucket/k%2B"},
      {"cn-north-1", "bucket", S3Addressing::kAuto,
       "https://bucket.s3.cn-north-1.amazonaws.com.cn/k%2B"},
  };
  for (const Row& row : rows) {
    S3StoreConfig config;
    config.region = row.region;
    config.addressing = row.addressing;
    boost::asio::io_context loop;
    const auto store = make_s3_store(config, loop.get_executor(), clock_, random_,
                                     std::make_unique<HttpClient>(loop.get_executor(), clock_),
                                     std::make_unique<EndingCredentials>());
    std::optional<Url> url;
    boost::asio::co_spawn(loop, store->presign("GET", {row.bucket, "k+"}, 1h),
                          [&](const std::exception_ptr&, Url made) { url = std::move(made); });
    loop.poll();
    ASSERT_TRUE(url);
    EXPECT_EQ(url->text(), row.expected);
  }
}

}  // namespace
}  // namespace headrace::s3
