#include "net/sigv4.h"

#include <openssl/crypto.h>

#include <array>
#include <mutex>

#include "core/error.h"
#include "net/sha256.h"
#include "net/sigv4_parts.h"

namespace headrace {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr Duration kLongestPresign = std::chrono::hours(7 * 24);

bool is_s3(const SigningScope& scope) { return scope.service.starts_with("s3"); }

std::string scope_text(std::string_view date, const SigningScope& scope) {
  std::string text;
  text.reserve(date.size() + scope.region.size() + scope.service.size() + 15);
  (text += date) += '/';
  (text += scope.region) += '/';
  (text += scope.service) += "/aws4_request";
  return text;
}

/// The canonical request of `request` but for its query, which presigning makes anew.
std::string canonical(const SigningScope& scope, std::string_view method, const Url& url,
                      std::string_view query, const CanonicalHeaders& headers,
                      std::string_view payload_hash) {
  const PathRule rule = is_s3(scope) ? PathRule::kAsItIs : PathRule::kNormalised;
  return canonical_request(method, canonical_path(url.path, rule), canonical_query(query), headers,
                           payload_hash);
}

}  // namespace

/// Deriving a day's key takes four HMACs: the keys of the last few secrets and days are kept. Two
/// sets of credentials (before and after a refresh) and two days (around midnight) make four.
struct Signer::Keys {
  struct Entry {
    std::string date;
    std::string secret;
    MacKey key = MacKey({});
  };

  ~Keys() {
    for (Entry& entry : entries) OPENSSL_cleanse(entry.secret.data(), entry.secret.size());
  }

  MacKey get(const std::string& secret, std::string_view date, const SigningScope& scope) {
    const std::scoped_lock lock(mutex);
    for (const Entry& entry : entries) {
      if (entry.date == date && entry.secret == secret) return entry.key;
    }
    Entry& oldest = entries[next++ % entries.size()];
    OPENSSL_cleanse(oldest.secret.data(), oldest.secret.size());
    oldest = {std::string(date), secret, signing_key(secret, date, scope)};
    return oldest.key;
  }

  std::mutex mutex;
  std::array<Entry, 4> entries;
  std::size_t next = 0;
};

Signer::Signer(SigningScope scope) : scope_(std::move(scope)), keys_(std::make_unique<Keys>()) {}
Signer::~Signer() = default;

void Signer::sign(HttpRequest& request, const Credentials& credentials, Time now,
                  std::string_view payload_hash) const {
  const std::string timestamp = signing_timestamp(now);
  Headers& headers = request.headers;
  if (!headers.find("Host")) headers.add("Host", request.url.authority());
  headers.set("X-Amz-Date", timestamp);
  if (is_s3(scope_)) headers.set("X-Amz-Content-Sha256", std::string(payload_hash));
  if (credentials.session_token.empty()) {
    headers.remove("X-Amz-Security-Token");
  } else {
    headers.set("X-Amz-Security-Token", credentials.session_token);
  }

  const std::string_view date = std::string_view(timestamp).substr(0, 8);
  const std::string scope = scope_text(date, scope_);
  const CanonicalHeaders lines = canonical_headers(headers);
  const std::string to_sign = string_to_sign(
      timestamp, scope,
      canonical(scope_, request.method, request.url, request.url.query, lines, payload_hash));
  const MacKey key = keys_->get(credentials.secret_key, date, scope_);

  std::string value;
  value.reserve(160 + credentials.access_key.size() + scope.size() + lines.names.size());
  ((value += kAlgorithm) += " Credential=") += credentials.access_key;
  ((value += '/') += scope) += ", SignedHeaders=";
  ((value += lines.names) += ", Signature=") += hex_of(key.mac(to_sign));
  headers.set("Authorization", std::move(value));
}

Url Signer::presign(std::string method, Url url, const Headers& signed_headers,
                    const Credentials& credentials, Time now, Duration valid) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(valid).count();
  if (seconds < 1 || valid > kLongestPresign) {
    throw Error(ErrorKind::kInvalid,
                "a presigned URL holds for 1 second to 7 days, not for " + format_duration(valid));
  }
  Headers headers = signed_headers;
  if (!headers.find("Host")) headers.add("Host", url.authority());
  const CanonicalHeaders lines = canonical_headers(headers);
  const std::string timestamp = signing_timestamp(now);
  const std::string_view date = std::string_view(timestamp).substr(0, 8);
  const std::string scope = scope_text(date, scope_);

  std::string& query = url.query;
  if (!query.empty()) query += '&';
  query +=
      fmt::format("X-Amz-Algorithm={}&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={}",
                  kAlgorithm, uri_encode(credentials.access_key + "/" + scope), timestamp, seconds);
  if (!credentials.session_token.empty()) {
    query += "&X-Amz-Security-Token=" + uri_encode(credentials.session_token);
  }
  query += "&X-Amz-SignedHeaders=" + uri_encode(lines.names);

  // A body cannot be known beforehand, unless the caller binds its hash as a header.
  std::string payload_hash(headers.get("X-Amz-Content-Sha256"));
  if (payload_hash.empty()) payload_hash = is_s3(scope_) ? kUnsignedPayload : sha256_hex({});
  const std::string to_sign =
      string_to_sign(timestamp, scope, canonical(scope_, method, url, query, lines, payload_hash));
  query +=
      "&X-Amz-Signature=" + hex_of(keys_->get(credentials.secret_key, date, scope_).mac(to_sign));
  return url;
}

std::string Signer::sign_policy(std::string_view base64_policy, const Credentials& credentials,
                                Time now) const {
  const std::string date = signing_timestamp(now).substr(0, 8);
  return hex_of(keys_->get(credentials.secret_key, date, scope_).mac(base64_policy));
}

std::string Signer::credential_scope(Time now) const {
  return scope_text(signing_timestamp(now).substr(0, 8), scope_);
}

std::string sha256_hex(std::string_view bytes) { return hex_of(sha256(bytes)); }

}  // namespace headrace
