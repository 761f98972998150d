#include "store/s3/service.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/timeout.h"
#include "net/sha256.h"
#include "store/s3/fields.h"
#include "store/s3/messages.h"

namespace headrace::s3 {
namespace {

/// A listing of 1,000 keys of 1,024 bytes, all escaped, has about 4 MiB.
constexpr std::uint64_t kLargestAnswer = 32u << 20;
constexpr std::uint64_t kLargestError = 256u << 10;
/// Stores take requests up to 15 minutes off; further off than this is worth a second try.
constexpr Duration kSkewWorthMentioning = std::chrono::minutes(4);
constexpr std::chrono::seconds kLongestRetryAfter = std::chrono::minutes(5);

bool is_amazon(const S3StoreConfig& config) { return config.endpoint.empty(); }

std::string amazon_host(std::string_view region) {
  return fmt::format("s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
}

Url endpoint_of(const S3StoreConfig& config) {
  Url url;
  if (is_amazon(config)) {
    url.scheme = "https";
    url.port = 443;
    url.host = amazon_host(config.region);
    url.path.clear();
    return url;
  }
  url = parse_url(config.endpoint);
  if (!url.query.empty()) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("endpoint {}: a URL without '?' is needed", url.text()));
  }
  while (url.path.ends_with('/')) url.path.pop_back();
  return url;
}

S3StoreConfig with_region(S3StoreConfig config) {
  if (config.region.empty()) config.region = "us-east-1";
  return config;
}

std::string query_text(const Call& call) {
  std::string text;
  for (const auto& [name, value] : call.query) {
    if (!text.empty()) text += '&';
    text += uri_encode(name) + "=" + uri_encode(value);
  }
  return text;
}

std::chrono::milliseconds retry_after(const Headers& headers) {
  const auto seconds = parse_number(headers.get("Retry-After"));
  if (!seconds) return {};
  return std::min<std::chrono::milliseconds>(
      std::chrono::seconds(std::min<std::uint64_t>(*seconds, 3600)), kLongestRetryAfter);
}

std::string hash_of(const Call& call) {
  return hex_of(call.payload ? sha256(call.payload->pieces()) : sha256(call.body));
}

Failure failure_of(int status, const Headers& headers, const std::optional<ErrorMessage>& message) {
  Failure failure;
  failure.status = status;
  if (message) {
    failure.code = message->code;
    failure.text = message->text;
    failure.region = message->region;
    failure.condition = message->condition;
  }
  const std::string_view region = headers.get("x-amz-bucket-region");
  if (!region.empty()) failure.region = region;
  failure.retry_after = retry_after(headers);
  return failure;
}

}  // namespace

Service::Service(S3StoreConfig config, Executor executor, Clock& clock, Random& random,
                 std::unique_ptr<HttpClient> client,
                 std::unique_ptr<CredentialsProvider> credentials)
    : config_(with_region(std::move(config))),
      executor_(std::move(executor)),
      clock_(clock),
      random_(random),
      endpoint_(endpoint_of(config_)),
      client_(std::move(client)),
      credentials_(std::move(credentials)) {}

std::string Service::where(const std::string& bucket, const std::string& key) const {
  std::string text = config_.name + "://" + bucket;
  if (!key.empty()) text += "/" + key;
  return text;
}

std::string Service::region_of(const std::string& bucket) const {
  const auto known = regions_.find(bucket);
  return known == regions_.end() ? config_.region : known->second;
}

const Signer& Service::signer(const std::string& region) {
  auto& signer = signers_[region];
  if (!signer) signer = std::make_unique<Signer>(SigningScope{region, "s3"});
  return *signer;
}

bool Service::is_virtual(const std::string& bucket) const {
  if (config_.addressing != S3Addressing::kAuto) {
    return config_.addressing == S3Addressing::kVirtual;
  }
  // A certificate for *.s3.amazonaws.com does not hold for a name with dots in it.
  return is_amazon(config_) && bucket.find('.') == std::string::npos;
}

Url Service::address(const Call& call) {
  Url url = endpoint_;
  if (is_amazon(config_)) url.host = amazon_host(region_of(call.bucket));
  if (!call.bucket.empty()) {
    if (is_virtual(call.bucket)) {
      url.host = call.bucket + "." + url.host;
    } else {
      url.path += "/" + uri_encode(call.bucket);
    }
  }
  url.path += "/" + uri_encode(call.key, true);
  if (call.key.empty() && !call.bucket.empty() && !is_virtual(call.bucket)) url.path.pop_back();
  url.query = query_text(call);
  return url;
}

Task<Reply> Service::exchange(HttpRequest request, bool streamed) {
  HttpResponse response = co_await client_->send(std::move(request));
  Reply reply;
  reply.status = response.status;
  reply.headers = std::move(response.headers);
  const bool good = response.status / 100 == 2;
  if (good && streamed) {
    reply.stream = std::move(response.body);
    co_return reply;
  }
  reply.body = co_await read_all(*response.body, good ? kLargestAnswer : kLargestError);
  const auto message = parse_error(reply.body);
  if (!good || message) reply.failure = failure_of(reply.status, reply.headers, message);
  co_return reply;
}

Task<Reply> Service::attempt(const Call& call, const std::optional<Credentials>& credentials,
                             const Chances& chances) {
  HttpRequest request;
  request.method = call.method;
  request.url = chances.elsewhere ? *chances.elsewhere : address(call);
  request.headers = call.headers;
  // The caller holds the call, and so the payload, until the exchange is over.
  if (call.payload) {
    request.body.pieces = &call.payload->pieces();
  } else {
    request.body.bytes = call.body;
  }
  const std::string region = region_of(call.bucket);
  if (credentials) {
    const std::string hash = request.url.secure() ? std::string(kUnsignedPayload) : hash_of(call);
    signer(region).sign(request, *credentials, now(), hash);
  }
  std::string what = call.method + " " + request.url.text();
  Reply reply = co_await with_timeout(clock_, config_.request_timeout, std::move(what),
                                      exchange(std::move(request), call.streamed));
  reply.asker.region = region;
  if (credentials) {
    reply.asker.access_key = credentials->access_key;
    reply.asker.origin = credentials->origin;
  }
  if (const auto date = parse_http_date(reply.headers.get("Date")); date && reply.failure) {
    const Duration skew = *date - clock_.now();
    if (std::chrono::abs(skew) > kSkewWorthMentioning) {
      const auto minutes = std::chrono::round<std::chrono::minutes>(std::chrono::abs(skew));
      reply.asker.clock_skew = format_duration(minutes);
    }
  }
  co_return reply;
}

Task<Reply> Service::send(Call call) {
  Chances chances;
  while (true) {
    const std::optional<Credentials> credentials = co_await credentials_->get();
    Reply reply = co_await attempt(call, credentials, chances);
    if (!reply.failure || !put_right(call, reply, credentials, chances)) co_return reply;
  }
}

bool Service::put_right(const Call& call, const Reply& reply,
                        const std::optional<Credentials>& used, Chances& chances) {
  const Failure& failure = *reply.failure;
  if (learn_region(call, reply, chances)) return true;
  if (used && learn_clock(reply, chances)) return true;
  const bool unsaid = call.method == "HEAD" && (failure.status == 400 || failure.status == 403) &&
                      used && !used->session_token.empty();
  const bool refused = failure.code == "ExpiredToken" || failure.code == "TokenRefreshRequired" ||
                       failure.code == "InvalidAccessKeyId" || failure.code == "InvalidToken";
  if (!used || chances.credentials || !(refused || unsaid)) return false;
  chances.credentials = true;
  credentials_->refused(*used);
  return true;
}

bool Service::learn_region(const Call& call, const Reply& reply, Chances& chances) {
  const Failure& failure = *reply.failure;
  if (chances.region || call.bucket.empty()) return false;
  const bool redirect = failure.status == 301 || failure.status == 302 || failure.status == 307 ||
                        failure.status == 308;
  const bool wrong_region =
      failure.code == "AuthorizationHeaderMalformed" || failure.code == "PermanentRedirect" ||
      failure.code == "IllegalLocationConstraintException" ||
      (failure.code.empty() && failure.status == 400);  // HEAD has no body to say more.
  if (!redirect && !wrong_region) return false;
  if (!failure.region.empty() && failure.region != region_of(call.bucket)) {
    chances.region = true;
    regions_.insert_or_assign(call.bucket, failure.region);
    return true;
  }
  const std::string_view location = reply.headers.get("Location");
  if (!redirect || location.empty()) return false;
  chances.region = true;
  Url there = parse_url(location);
  const Url here = address(call);
  // Never to the same place again, and never from TLS to plain text.
  if (there.text() == here.text() || (here.secure() && !there.secure())) return false;
  there.query = here.query;
  chances.elsewhere = std::move(there);
  return true;
}

bool Service::learn_clock(const Reply& reply, Chances& chances) {
  const Failure& failure = *reply.failure;
  if (chances.clock || failure.status != 403) return false;
  const auto date = parse_http_date(reply.headers.get("Date"));
  if (!date) return false;
  const Duration offset = *date - clock_.now();
  const bool said = failure.code == "RequestTimeTooSkewed";
  if (!said && std::chrono::abs(offset - clock_offset_) < kSkewWorthMentioning) return false;
  chances.clock = true;
  clock_offset_ = offset;
  return true;
}

Task<Reply> Service::must(Call call) {
  const std::string method = call.method;
  const std::string place = where(call.bucket, call.key);
  Reply reply = co_await send(std::move(call));
  if (reply.failure) fail(method, place, reply);
  co_return reply;
}

void Service::fail(const Call& call, const Reply& reply) const {
  fail(call.method, where(call.bucket, call.key), reply);
}

void Service::fail(std::string_view method, std::string_view place, const Reply& reply) const {
  throw error_of(*reply.failure, method, place, reply.asker);
}

}  // namespace headrace::s3
