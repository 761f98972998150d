#include "store/s3/failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace headrace::s3 {
namespace {

constexpr std::size_t kLongestText = 300;

constexpr std::array kThrottling = {
    std::string_view("SlowDown"),
    std::string_view("Throttling"),
    std::string_view("ThrottlingException"),
    std::string_view("ThrottledException"),
    std::string_view("RequestThrottled"),
    std::string_view("RequestThrottledException"),
    std::string_view("TooManyRequests"),
    std::string_view("TooManyRequestsException"),
    std::string_view("RequestLimitExceeded"),
    std::string_view("BandwidthLimitExceeded"),
    std::string_view("LimitExceededException"),
    std::string_view("PriorRequestNotComplete"),
    std::string_view("ServiceUnavailable"),
};

/// Passing troubles that come with a status below 500.
constexpr std::array kPassing = {
    std::string_view("RequestTimeout"),
    std::string_view("RequestTimeoutException"),
    std::string_view("InternalError"),
    std::string_view("OperationAborted"),
    std::string_view("ConditionalRequestConflict"),
    std::string_view("IncompleteBody"),
    std::string_view("BadDigest"),
    std::string_view("XAmzContentSHA256Mismatch"),
    std::string_view("XAmzContentChecksumMismatch"),
};

bool is_in(const auto& codes, std::string_view code) {
  return std::ranges::find(codes, code) != codes.end();
}

std::string one_line(std::string_view text) {
  std::string line(text.substr(0, kLongestText));
  std::ranges::replace_if(line, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return line;
}

std::string who(const Asker& asker) {
  if (asker.access_key.empty()) return "the unsigned request";
  return fmt::format("access key {} (from {})", asker.access_key, asker.origin);
}

/// The sentence that says what to do; empty if there is nothing better than the store's own.
std::string advice(const Failure& failure, const Asker& asker) {
  const std::string_view code = failure.code;
  if (code == "SignatureDoesNotMatch") {
    return fmt::format("the secret key is not the one of {}; check `credentials`", who(asker));
  }
  if (code == "InvalidAccessKeyId" || code == "InvalidClientTokenId") {
    return fmt::format("the store does not know {}; check `credentials` and `endpoint`",
                       who(asker));
  }
  if (code == "ExpiredToken" || code == "TokenRefreshRequired" || code == "InvalidToken") {
    return fmt::format("the temporary credentials of {} have ended; get new ones", who(asker));
  }
  if (code == "RequestTimeTooSkewed" || (failure.status == 403 && !asker.clock_skew.empty())) {
    return fmt::format("this machine's clock is {} off; set it",
                       asker.clock_skew.empty() ? "far" : asker.clock_skew);
  }
  if (failure.is_missing_bucket()) {
    return "make the bucket with `headrace apply`, or let writes make it with `create_buckets: "
           "true`";
  }
  if (!failure.region.empty() && failure.region != asker.region) {
    return fmt::format("the bucket is in region {}, not {}; set `region`", failure.region,
                       asker.region);
  }
  if (code == "PermanentRedirect" || (failure.status >= 300 && failure.status < 400)) {
    return "the bucket is at another endpoint or region; set `endpoint` and `region`";
  }
  if (failure.status == 403) {
    return fmt::format("{} may not do this; `headrace iam-policy` prints what is needed",
                       who(asker));
  }
  if (failure.status == 501) return "the store does not offer this";
  return "";
}

}  // namespace

bool is_throttled(const Failure& failure) {
  if (is_in(kThrottling, failure.code)) return true;
  return failure.status == 429 || failure.status == 503 || failure.status == 500;
}

ErrorKind classify(const Failure& failure) {
  if (failure.status == 501) return ErrorKind::kInvalid;
  if (is_throttled(failure) || is_in(kPassing, failure.code)) return ErrorKind::kTransient;
  if (failure.status >= 500 || failure.status == 408) return ErrorKind::kTransient;
  if (failure.status == 412) return ErrorKind::kConflict;
  // Nobody says a considered no without a word, but to HEAD.
  if (failure.status == 400 && failure.code.empty()) return ErrorKind::kTransient;
  // An error in the body of a 200: the work was begun and broke.
  if (failure.status < 300) return ErrorKind::kTransient;
  return ErrorKind::kInvalid;
}

Error error_of(const Failure& failure, std::string_view method, std::string_view where,
               const Asker& asker) {
  std::string text = fmt::format("{}: {}: {}", where, method, failure.status);
  if (!failure.code.empty()) text += " " + one_line(failure.code);
  if (!failure.text.empty()) text += ": " + one_line(failure.text);
  const std::string what_to_do = advice(failure, asker);
  if (!what_to_do.empty()) text += "; " + what_to_do;
  auto pause = failure.retry_after;
  // A throttling store without a number still asks for longer pauses than a broken connection.
  if (pause.count() == 0 && is_throttled(failure)) pause = std::chrono::milliseconds(1);
  return Error(classify(failure), text, pause);
}

}  // namespace headrace::s3
