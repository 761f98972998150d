#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "net/credentials.h"
#include "net/http.h"

namespace headrace {

/// AWS Signature Version 4 (AWS General Reference, "Signing AWS API requests").
struct SigningScope {
  std::string region;
  std::string service;  ///< "s3", "sqs", "sns", "sts", "iam".
};

/// The value of x-amz-content-sha256 for a body that is not hashed; on TLS only.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

/// Signs a request in place: adds Host, X-Amz-Date, X-Amz-Content-Sha256 (S3 only),
/// X-Amz-Security-Token and Authorization. All headers that are there are signed but those that
/// proxies change (Connection, User-Agent, Expect, Transfer-Encoding). The path of `service` s3 is
/// signed as it is; for others it is normalised and encoded once more.
///
/// Keeps the day's key of the last few scopes: cheap to call. Any thread.
class Signer {
 public:
  explicit Signer(SigningScope scope);
  ~Signer();

  /// `payload_hash`: lower-case hex SHA-256 of the body, or kUnsignedPayload.
  void sign(HttpRequest& request, const Credentials& credentials, Time now,
            std::string_view payload_hash) const;
  /// The query that makes `url` usable without headers for `valid` (at most 7 days).
  Url presign(std::string method, Url url, const Headers& signed_headers,
              const Credentials& credentials, Time now, Duration valid) const;
  /// x-amz-signature of a POST policy (already base64).
  std::string sign_policy(std::string_view base64_policy, const Credentials& credentials,
                          Time now) const;
  /// "20260131/eu-central-1/s3/aws4_request"
  std::string credential_scope(Time now) const;

 private:
  struct Keys;
  SigningScope scope_;
  std::unique_ptr<Keys> keys_;
};

/// Lower-case hex SHA-256.
std::string sha256_hex(std::string_view bytes);

}  // namespace headrace
