#include "store/s3/s3_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/base64.h"
#include "core/error.h"
#include "core/json.h"
#include "store/page_builder.h"
#include "store/s3/answer_body.h"
#include "store/s3/checksum.h"
#include "store/s3/fields.h"
#include "store/s3/service.h"
#include "store/s3/writer.h"

namespace headrace {
namespace {

using s3::Call;
using s3::Reply;
using s3::run_at;

constexpr std::size_t kLongestKey = 1024;
constexpr std::size_t kLargestPage = 1000;

void check(const ObjectKey& key) {
  if (!key.bucket.empty() && !key.path.empty() && key.path.size() <= kLongestKey &&
      key.bucket.find('/') == std::string::npos) {
    return;
  }
  throw Error(ErrorKind::kInvalid,
              fmt::format("\"{}\": a bucket and a key of 1 to {} bytes are needed", key.text(),
                          kLongestKey));
}

/// A page's last key, or a folded prefix with FF behind it (PageBuilder), as a key that a store
/// understands: the largest character stands for FF.
std::string start_after_text(std::string after) {
  if (after.ends_with('\xff')) {
    after.pop_back();
    after += "\xf4\x8f\xbf\xbf";
  }
  return after;
}

class S3StoreImpl final : public S3Store {
 public:
  explicit S3StoreImpl(std::shared_ptr<s3::Service> service)
      : service_(std::move(service)), writer_(*service_) {}

  Task<std::optional<Object>> get(ObjectKey key, GetOptions options) override {
    check(key);
    return at([this, key = std::move(key), options = std::move(options)] {
      return read(key, options, "");
    });
  }

  Task<std::optional<ObjectInfo>> head(ObjectKey key) override {
    check(key);
    return at([this, key = std::move(key)] { return look(key, {}, ""); });
  }

  Task<ListPage> list(std::string bucket, ListOptions options) override {
    return at([this, bucket = std::move(bucket), options = std::move(options)] {
      return list_page(bucket, options);
    });
  }

  Task<std::vector<std::string>> list_buckets() override {
    return at([this]() -> Task<std::vector<std::string>> {
      const Reply reply = co_await service_->must({});
      auto names = s3::parse_buckets(reply.body);
      std::ranges::sort(names);
      co_return names;
    });
  }

  Task<std::optional<Etag>> put_stream(ObjectKey key, ByteSource& body,
                                       PutOptions options) override {
    check(key);
    return at([this, key = std::move(key), &body, options = std::move(options)] {
      return writer_.put(key, body, options);
    });
  }

  Task<bool> remove(ObjectKey key, std::optional<Etag> if_match) override {
    check(key);
    return at([this, key = std::move(key), if_match = std::move(if_match)] {
      return writer_.remove(key, if_match);
    });
  }

  Task<> remove_many(std::string bucket, std::vector<std::string> paths) override {
    std::vector<s3::Deletion> deletions;
    for (std::string& path : paths) {
      check(ObjectKey{bucket, path});
      deletions.push_back({std::move(path), ""});
    }
    return at([this, bucket = std::move(bucket), deletions = std::move(deletions)] {
      return writer_.remove_many(bucket, deletions);
    });
  }

  Task<std::optional<Etag>> copy(ObjectKey from, ObjectKey to, PutOptions options) override {
    check(from);
    check(to);
    return at([this, from = std::move(from), to = std::move(to), options = std::move(options)] {
      return writer_.copy(from, to, options);
    });
  }

  Task<std::optional<Tags>> tags(ObjectKey key) override {
    check(key);
    return at([this, key = std::move(key)] { return read_tags(key); });
  }

  Task<bool> set_tags(ObjectKey key, Tags tags) override {
    check(key);
    return at(
        [this, key = std::move(key), tags = std::move(tags)] { return write_tags(key, tags); });
  }

  Task<bool> create_bucket(std::string bucket) override {
    return at([this, bucket = std::move(bucket)]() -> Task<bool> {
      // In us-east-1 making one's own bucket again is no error.
      const Reply head = co_await service_->send({.method = "HEAD", .bucket = bucket});
      if (!head.failure) co_return false;
      co_return co_await writer_.create_bucket(bucket);
    });
  }

  Task<bool> remove_bucket(std::string bucket) override {
    return at([this, bucket = std::move(bucket)]() -> Task<bool> {
      const Call call{.method = "DELETE", .bucket = bucket};
      const Reply reply = co_await service_->send(call);
      if (reply.failure && reply.failure->is_missing()) co_return false;
      if (reply.failure) service_->fail(call, reply);
      co_return true;
    });
  }

  Task<bool> has_bucket(std::string bucket) override {
    return at([this, bucket = std::move(bucket)]() -> Task<bool> {
      const Call call{.method = "HEAD", .bucket = bucket};
      const Reply reply = co_await service_->send(call);
      if (reply.failure && reply.failure->is_missing()) co_return false;
      if (reply.failure) service_->fail(call, reply);
      co_return true;
    });
  }

  Task<s3::VersionsAnswer> list_versions(std::string bucket, std::string prefix,
                                         std::string key_marker,
                                         std::string version_marker) override {
    Call call{.bucket = bucket, .query = {{"versions", ""}, {"encoding-type", "url"}}};
    if (!prefix.empty()) call.query.emplace_back("prefix", std::move(prefix));
    if (!key_marker.empty()) call.query.emplace_back("key-marker", std::move(key_marker));
    if (!version_marker.empty()) {
      call.query.emplace_back("version-id-marker", std::move(version_marker));
    }
    return at([this, call = std::move(call)]() -> Task<s3::VersionsAnswer> {
      const Reply reply = co_await service_->send(call);
      if (reply.failure && reply.failure->is_missing()) co_return s3::VersionsAnswer{};
      if (reply.failure) service_->fail(call, reply);
      co_return s3::parse_versions(reply.body, call.bucket);
    });
  }

  Task<std::optional<Object>> get_version(ObjectKey key, std::string version) override {
    check(key);
    return at([this, key = std::move(key), version = std::move(version)] {
      return read(key, {}, version);
    });
  }

  Task<> remove_versions(std::string bucket, std::vector<s3::Deletion> deletions) override {
    return at([this, bucket = std::move(bucket), deletions = std::move(deletions)] {
      return writer_.remove_many(bucket, deletions);
    });
  }

  Task<> abort_upload(ObjectKey key, std::string upload) override {
    check(key);
    return at([this, key = std::move(key), upload = std::move(upload)]() -> Task<> {
      const Call call{.method = "DELETE",
                      .bucket = key.bucket,
                      .key = key.path,
                      .query = {{"uploadId", upload}}};
      const Reply reply = co_await service_->send(call);
      if (reply.failure && !reply.failure->is_missing()) service_->fail(call, reply);
    });
  }

  Task<Url> presign(std::string method, ObjectKey key, Duration valid) override {
    check(key);
    return at([this, method = std::move(method), key = std::move(key), valid]() -> Task<Url> {
      const Url url = service_->address({.method = method, .bucket = key.bucket, .key = key.path});
      const auto credentials = co_await service_->credentials();
      if (!credentials) co_return url;
      co_return service_->signer(service_->region_of(key.bucket))
          .presign(method, url, {}, *credentials, service_->now(), valid);
    });
  }

  Task<PostGrant> presign_post(PostPolicy policy) override {
    return at([this, policy = std::move(policy)] { return make_post_grant(policy); });
  }

  Task<ConditionSupport> conditions(std::string bucket) override {
    return at([this, bucket = std::move(bucket)] { return writer_.conditions().of(bucket); });
  }

  Task<HttpAnswer> call(RawCall raw) override {
    Call call{.method = raw.method,
              .bucket = raw.bucket,
              .key = "",
              .query = std::move(raw.query),
              .headers = std::move(raw.headers),
              .body = std::move(raw.body)};
    return at([this, call = std::move(call)]() -> Task<HttpAnswer> {
      Reply reply = co_await service_->send(call);
      co_return HttpAnswer{reply.status, std::move(reply.headers), std::move(reply.body)};
    });
  }

  Task<Duration> clock_offset() override {
    return at([this]() -> Task<Duration> { co_return service_->clock_offset(); });
  }

  Task<std::optional<Credentials>> credentials() override {
    return at([this] { return service_->credentials(); });
  }

 private:
  /// Runs `make` where the service lives; `make` owns what it needs and stays in this frame.
  template <class Make>
  auto at(Make make) -> std::invoke_result_t<Make&> {
    co_return co_await run_at(*service_, std::move(make));
  }

  Task<std::optional<ObjectInfo>> look(ObjectKey key, std::optional<Etag> if_match,
                                       std::string version) {
    Call call{.method = "HEAD", .bucket = key.bucket, .key = key.path};
    if (!version.empty()) call.query.emplace_back("versionId", std::move(version));
    if (if_match) call.headers.set("If-Match", s3::quoted(*if_match));
    const Reply reply = co_await service_->send(call);
    if (reply.failure && (reply.failure->is_missing() || reply.failure->is_lost_condition())) {
      co_return std::nullopt;
    }
    if (reply.failure) service_->fail(call, reply);
    co_return s3::read_info(std::move(key), reply.headers);
  }

  Task<std::optional<Object>> read(ObjectKey key, GetOptions options, std::string version) {
    const ByteRange range = options.range;
    const bool whole = range.offset == 0 && range.length == ByteRange{}.length;
    if (range.length == 0) co_return co_await read_nothing(key, options, version);
    Call call{.method = "GET", .bucket = key.bucket, .key = key.path};
    call.streamed = true;
    if (!version.empty()) call.query.emplace_back("versionId", version);
    if (options.if_match) call.headers.set("If-Match", s3::quoted(*options.if_match));
    if (!whole) {
      const std::uint64_t most = ByteRange{}.length - range.offset;
      const bool open_end = range.length >= most;
      call.headers.set("Range", open_end ? fmt::format("bytes={}-", range.offset)
                                         : fmt::format("bytes={}-{}", range.offset,
                                                       range.offset + range.length - 1));
    }
    const bool summed = whole && service_->config().checksums == S3Checksums::kWhenSupported;
    if (summed) call.headers.set("x-amz-checksum-mode", "ENABLED");
    Reply reply = co_await service_->send(call);
    if (reply.failure) {
      const s3::Failure& failure = *reply.failure;
      if (failure.status == 416) co_return co_await read_nothing(key, options, version);
      const bool marker = failure.status == 405 && reply.headers.find("x-amz-delete-marker");
      if (failure.is_missing() || failure.is_lost_condition() || marker) co_return std::nullopt;
      service_->fail(call, reply);
    }
    if (!whole && reply.status != 206) {
      throw Error(ErrorKind::kInvalid, service_->where(key.bucket, key.path) +
                                           ": the store gave the whole object instead of a range");
    }
    ObjectInfo info = s3::read_info(key, reply.headers);
    const auto length = s3::parse_number(reply.headers.get("Content-Length"));
    auto sum = summed ? s3::ExpectedSum::read(reply.headers) : std::nullopt;
    const std::uint64_t rest = info.size - std::min(info.size, range.offset);
    auto body = std::make_unique<s3::AnswerBody>(
        service_, std::move(reply.stream), service_->where(key.bucket, key.path),
        length.value_or(std::min(rest, range.length)), std::move(sum));
    co_return Object{std::move(info), std::move(body)};
  }

  /// An empty range, or one beyond the end: only what the object is.
  Task<std::optional<Object>> read_nothing(ObjectKey key, GetOptions options, std::string version) {
    auto info = co_await look(std::move(key), options.if_match, std::move(version));
    if (!info) co_return std::nullopt;
    co_return Object{std::move(*info), source_of(Bytes{})};
  }

  Task<ListPage> list_page(std::string bucket, ListOptions options) {
    PageBuilder page(options);
    std::string token;
    while (true) {
      Call call{.bucket = bucket, .query = {{"list-type", "2"}, {"encoding-type", "url"}}};
      auto& query = call.query;
      query.emplace_back("max-keys", std::to_string(keys_to_ask_for(page, options)));
      if (!options.prefix.empty()) query.emplace_back("prefix", options.prefix);
      if (options.delimiter) query.emplace_back("delimiter", std::string(1, *options.delimiter));
      if (!token.empty()) {
        query.emplace_back("continuation-token", token);
      } else if (options.start_after > options.prefix) {
        // At or before the prefix it says nothing new, and MinIO takes it for the end.
        query.emplace_back("start-after", start_after_text(options.start_after));
      }
      const Reply reply = co_await service_->send(call);
      if (reply.failure && is_empty_listing(*reply.failure)) co_return ListPage{};
      if (reply.failure) service_->fail(call, reply);
      s3::ListAnswer answer = s3::parse_list(reply.body, bucket);
      add_in_order(page, answer);
      if (!answer.truncated) co_return std::move(page).take();
      if (page.room() == 0) {
        ListPage full = std::move(page).take();
        full.next = continue_after(full);
        co_return full;
      }
      token = std::move(answer.next_token);
      if (token.empty()) {
        throw Error(ErrorKind::kTransient,
                    service_->where(bucket, "") + ": the listing goes on, but does not say where");
      }
    }
  }

  /// As many as fit, and a key that is start_after itself, which comes again where that says
  /// nothing new. Two at least: MinIO does not go on after one that is the prefix.
  static std::size_t keys_to_ask_for(const PageBuilder& page, const ListOptions& options) {
    const std::size_t repeated = options.start_after == options.prefix ? 1 : 0;
    return std::clamp<std::size_t>(page.room() + repeated, 2, kLargestPage);
  }

  /// No bucket, or a prefix that no key of this store can have (MinIO's "a//").
  static bool is_empty_listing(const s3::Failure& failure) {
    return failure.is_missing() || failure.code == "XMinioInvalidObjectName";
  }

  static void add_in_order(PageBuilder& page, s3::ListAnswer& answer) {
    std::ranges::sort(answer.objects, {}, [](const ObjectInfo& info) { return info.key.path; });
    std::ranges::sort(answer.prefixes);
    auto prefix = answer.prefixes.begin();
    const auto add_prefixes_before = [&](const std::string* key) {
      for (; prefix != answer.prefixes.end() && (key == nullptr || *prefix < *key); ++prefix) {
        page.add_prefix(*prefix);
      }
    };
    for (ObjectInfo& info : answer.objects) {
      add_prefixes_before(&info.key.path);
      if (page.wants(info.key.path)) page.add(std::move(info));
    }
    add_prefixes_before(nullptr);
  }

  static std::string continue_after(const ListPage& page) {
    std::string last = page.objects.empty() ? "" : page.objects.back().key.path;
    if (!page.prefixes.empty()) last = std::max(last, page.prefixes.back() + '\xff');
    return last;
  }

  Task<std::optional<Tags>> read_tags(ObjectKey key) {
    const Call call{
        .method = "GET", .bucket = key.bucket, .key = key.path, .query = {{"tagging", ""}}};
    const Reply reply = co_await service_->send(call);
    if (!reply.failure) co_return s3::parse_tagging(reply.body);
    if (reply.failure->code == "NoSuchTagSet") co_return Tags{};
    if (reply.failure->is_missing()) co_return std::nullopt;
    service_->fail(call, reply);
  }

  Task<bool> write_tags(ObjectKey key, Tags tags) {
    Call call{.method = tags.empty() ? "DELETE" : "PUT",
              .bucket = key.bucket,
              .key = key.path,
              .query = {{"tagging", ""}}};
    if (tags.empty()) {
      // A store may delete the tags of nothing without a word.
      if (!co_await look(key, {}, "")) co_return false;
    } else {
      call.body = s3::tagging_xml(tags);
      call.headers.set("Content-MD5", s3::content_md5(call.body));
    }
    const Reply reply = co_await service_->send(call);
    if (!reply.failure) co_return true;
    if (reply.failure->is_missing()) co_return false;
    service_->fail(call, reply);
  }

  Task<PostGrant> make_post_grant(PostPolicy policy);

  std::shared_ptr<s3::Service> service_;
  s3::Writer writer_;
};

/// ["starts-with","$key","in/"] or {"key":"in/a"}: one condition of a policy.
void add_exact(JsonWriter& json, std::string_view field, std::string_view value) {
  json.begin_object().key(field).string(value).end_object();
}

Task<PostGrant> S3StoreImpl::make_post_grant(PostPolicy policy) {
  const auto credentials = co_await service_->credentials();
  if (!credentials) {
    throw Error(ErrorKind::kInvalid, service_->where(policy.key.bucket, policy.key.path) +
                                         ": an upload grant needs credentials to sign it with");
  }
  const Time now = service_->now();
  const Signer& signer = service_->signer(service_->region_of(policy.key.bucket));
  PostGrant grant;
  grant.url = service_->address({.method = "POST", .bucket = policy.key.bucket}).text();
  grant.fields = policy.fields;
  grant.fields["key"] = policy.key.path;
  grant.fields["x-amz-algorithm"] = "AWS4-HMAC-SHA256";
  grant.fields["x-amz-credential"] = credentials->access_key + "/" + signer.credential_scope(now);
  const std::string date = format_time(Time(std::chrono::floor<std::chrono::seconds>(now)));
  for (const char c : date) {
    if (c != '-' && c != ':') grant.fields["x-amz-date"].push_back(c);
  }
  if (!credentials->session_token.empty()) {
    grant.fields["x-amz-security-token"] = credentials->session_token;
  }
  const bool open_key =
      policy.key_is_prefix || policy.key.path.find("${filename}") != std::string::npos;
  JsonWriter json;
  json.begin_object();
  json.key("expiration")
      .string(format_time(Time(std::chrono::floor<std::chrono::seconds>(now + policy.valid))));
  json.key("conditions").begin_array();
  add_exact(json, "bucket", policy.key.bucket);
  for (const auto& [field, value] : grant.fields) {
    if (field == "key" && open_key) {
      const std::string prefix = value.substr(0, value.find("${filename}"));
      json.begin_array().string("starts-with").string("$key").string(prefix).end_array();
    } else {
      add_exact(json, field, value);
    }
  }
  json.begin_array().string("content-length-range");
  json.number(policy.least_bytes).number(policy.most_bytes).end_array();
  json.end_array().end_object();
  grant.fields["policy"] = to_base64(json.text());
  grant.fields["x-amz-signature"] = signer.sign_policy(grant.fields["policy"], *credentials, now);
  co_return grant;
}

}  // namespace

std::unique_ptr<S3Store> make_s3_store(S3StoreConfig config, Executor executor, Clock& clock,
                                       Random& random, std::unique_ptr<HttpClient> client,
                                       std::unique_ptr<CredentialsProvider> credentials) {
  return std::make_unique<S3StoreImpl>(
      std::make_shared<s3::Service>(std::move(config), std::move(executor), clock, random,
                                    std::move(client), std::move(credentials)));
}

std::unique_ptr<S3Store> make_s3_store(const S3StoreStanza& stanza, std::string name,
                                       std::string region, Executor executor, Clock& clock,
                                       Random& random) {
  HttpClientConfig http;
  http.connect_timeout = stanza.connect_timeout;
  http.idle_timeout = stanza.idle_timeout;
  http.connections = stanza.connections;
  http.ca_file = stanza.ca_file;
  http.verify = stanza.verify;
  http.proxy =
      proxy_from_environment([](const std::string& variable) -> std::optional<std::string> {
        const char* value = std::getenv(variable.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
      });
  S3StoreConfig config;
  config.name = std::move(name);
  config.endpoint = stanza.endpoint;
  config.region = stanza.region.empty() ? std::move(region) : stanza.region;
  config.addressing = stanza.addressing;
  config.checksums = stanza.checksums;
  config.request_timeout = stanza.request_timeout;
  config.part_size = stanza.part_size;
  config.parallel_parts = stanza.parallel_parts;
  config.create_buckets = stanza.create_buckets;
  config.part_retry.attempts = static_cast<int>(stanza.attempts);
  auto client = std::make_unique<HttpClient>(executor, clock, std::move(http));
  auto credentials = make_credentials(stanza.credentials, *client, clock);
  return make_s3_store(std::move(config), std::move(executor), clock, random, std::move(client),
                       std::move(credentials));
}

}  // namespace headrace
