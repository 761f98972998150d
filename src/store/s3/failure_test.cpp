#include "store/s3/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::s3 {
namespace {

using testing::HasSubstr;

/// Every row is one answer a store really gives, and what we must do about it.
struct AnswerCase {
  const char* name;
  int status;
  const char* code;
  ErrorKind kind;
  bool throttled = false;
};

class FailureTest : public testing::TestWithParam<AnswerCase> {};

TEST_P(FailureTest, IsClassifiedByWhatTheCallerShouldDo) {
  const Failure failure{.status = GetParam().status, .code = GetParam().code};
  EXPECT_EQ(classify(failure), GetParam().kind);
  EXPECT_EQ(is_throttled(failure), GetParam().throttled);
}

INSTANTIATE_TEST_SUITE_P(
    Answers, FailureTest,
    testing::Values(
        AnswerCase{"SlowDown", 503, "SlowDown", ErrorKind::kTransient, true},
        AnswerCase{"ServiceUnavailable", 503, "ServiceUnavailable", ErrorKind::kTransient, true},
        AnswerCase{"InternalError", 500, "InternalError", ErrorKind::kTransient, true},
        AnswerCase{"TooManyWithoutBody", 429, "", ErrorKind::kTransient, true},
        AnswerCase{"ThrottledWith400", 400, "ThrottlingException", ErrorKind::kTransient, true},
        AnswerCase{"BadGateway", 502, "", ErrorKind::kTransient},
        AnswerCase{"GatewayTimeout", 504, "", ErrorKind::kTransient},
        AnswerCase{"RequestTimeout", 400, "RequestTimeout", ErrorKind::kTransient},
        AnswerCase{"BrokenOnTheWay", 400, "BadDigest", ErrorKind::kTransient},
        AnswerCase{"EmptyBadRequest", 400, "", ErrorKind::kTransient},
        AnswerCase{"ErrorInA200", 200, "InternalError", ErrorKind::kTransient},
        AnswerCase{"ConcurrentPut", 409, "ConditionalRequestConflict", ErrorKind::kTransient},
        AnswerCase{"BucketBeingMade", 409, "OperationAborted", ErrorKind::kTransient},
        AnswerCase{"NotOffered", 501, "NotImplemented", ErrorKind::kInvalid},
        AnswerCase{"LostCondition", 412, "PreconditionFailed", ErrorKind::kConflict},
        AnswerCase{"WrongSecret", 403, "SignatureDoesNotMatch", ErrorKind::kInvalid},
        AnswerCase{"EndedToken", 400, "ExpiredToken", ErrorKind::kInvalid},
        AnswerCase{"Forbidden", 403, "", ErrorKind::kInvalid},
        AnswerCase{"MissingBucket", 404, "NoSuchBucket", ErrorKind::kInvalid},
        AnswerCase{"FullBucket", 409, "BucketNotEmpty", ErrorKind::kInvalid},
        AnswerCase{"Moved", 301, "PermanentRedirect", ErrorKind::kInvalid}),
    [](const auto& row) { return row.param.name; });

TEST(FailureMessage, SaysWhatWhereAndWhatToDo) {
  const Asker asker{.access_key = "AKIA1", .origin = "environment", .region = "us-east-1"};
  struct Row {
    Failure failure;
    const char* expected;
  };
  const Row rows[] = {
      {{.status = 403, .code = "SignatureDoesNotMatch", .text = "No match."},
       "s3://b/k: GET: 403 SignatureDoesNotMatch: No match.; the secret key is not the one of "
       "access key AKIA1 (from environment)"},
      {{.status = 400, .code = "ExpiredToken"}, "have ended; get new ones"},
      {{.status = 403, .code = "InvalidAccessKeyId"}, "does not know access key AKIA1"},
      {{.status = 404, .code = "NoSuchBucket"}, "`create_buckets: true`"},
      {{.status = 301, .code = "PermanentRedirect", .region = "eu-west-1"},
       "the bucket is in region eu-west-1, not us-east-1; set `region`"},
      {{.status = 403, .code = "AccessDenied"}, "may not do this"},
      {{.status = 501, .code = "NotImplemented"}, "the store does not offer this"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(error_of(row.failure, "GET", "s3://b/k", asker).what(), HasSubstr(row.expected));
  }
  Asker late = asker;
  late.clock_skew = "1h";
  EXPECT_THAT(
      error_of({.status = 403, .code = "RequestTimeTooSkewed"}, "GET", "s3://b/k", late).what(),
      HasSubstr("this machine's clock is 1h off"));
  EXPECT_THAT(error_of({.status = 403, .code = "AccessDenied"}, "GET", "s3://b/k", {}).what(),
              HasSubstr("the unsigned request may not do this"));
}

TEST(FailureMessage, StaysOneLineOfBoundedLength) {
  const Error error =
      error_of({.status = 400, .code = "X", .text = std::string(5000, '\n')}, "GET", "s3://b", {});
  EXPECT_LT(std::string_view(error.what()).size(), 1000u);
  EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
}

TEST(FailureMessage, CarriesThePauseThatTheStoreAskedFor) {
  using namespace std::chrono_literals;
  EXPECT_EQ(error_of({.status = 503, .retry_after = 7s}, "GET", "s3://b", {}).retry_after(), 7s);
  EXPECT_GT(error_of({.status = 503}, "GET", "s3://b", {}).retry_after(), 0s);
  EXPECT_EQ(error_of({.status = 502}, "GET", "s3://b", {}).retry_after(), 0s);
}

}  // namespace
}  // namespace headrace::s3
