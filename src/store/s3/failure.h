#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/error.h"

// From what a store answers to what the caller should do: the only place that knows S3's codes.
namespace headrace::s3 {

/// An answer that says no.
struct Failure {
  int status = 0;
  std::string code;  ///< "NoSuchKey"; empty if the answer has no body, as with HEAD.
  std::string text;
  std::string region;     ///< Where the bucket is, if the store says so.
  std::string condition;  ///< The precondition that failed, if the store says so.
  std::chrono::milliseconds retry_after{};

  bool is_missing_bucket() const { return code == "NoSuchBucket"; }
  /// Missing key, version or upload; without a body a 404 can be any of them.
  bool is_missing() const { return status == 404; }
  bool is_lost_condition() const { return status == 412; }
};

/// kTransient, kInvalid, kConflict or kCorrupt. A 5xx, 501 apart, means that the store has too much
/// to do; an error without a body is nobody's considered answer and may pass.
ErrorKind classify(const Failure& failure);
/// Does the store ask for fewer requests?
bool is_throttled(const Failure& failure);

/// Who asked whom: for messages. Holds no secret.
struct Asker {
  std::string access_key;  ///< Empty: unsigned.
  std::string origin;      ///< Where the credentials came from.
  std::string region;      ///< What the request was signed for.
  std::string clock_skew;  ///< How far the clocks differ, if it was seen: "1h".
};

/// "s3://bucket/key: PUT: 403 SignatureDoesNotMatch: <what the store said>; <what to do>".
Error error_of(const Failure& failure, std::string_view method, std::string_view where,
               const Asker& asker);

}  // namespace headrace::s3
