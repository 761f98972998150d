#include "store/s3/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "core/error.h"
#include "core/signal.h"
#include "store/s3/answer_body.h"
#include "store/s3/checksum.h"
#include "store/s3/fields.h"
#include "store/s3/upload.h"

namespace headrace::s3 {
namespace {

/// Keys in one request to delete many (Amazon S3 API, DeleteObjects).
constexpr std::size_t kKeysPerDeletion = 1000;

bool is_conditional(const WriteCondition& condition) {
  return condition.if_absent || condition.if_match.has_value();
}

}  // namespace

bool Writer::summed() const { return service_.config().checksums == S3Checksums::kWhenSupported; }

bool Writer::may_make_bucket(const Reply& reply) const {
  return reply.failure && reply.failure->is_missing_bucket() && service_.config().create_buckets;
}

Task<Reply> Writer::send_making_bucket(Call call) {
  Reply reply = co_await service_.send(call);
  if (!may_make_bucket(reply)) co_return reply;
  co_await create_bucket(call.bucket);
  co_return co_await service_.send(std::move(call));
}

Task<bool> Writer::create_bucket(std::string bucket) {
  Call call{.method = "PUT", .bucket = bucket};
  const std::string region = service_.region_of(bucket);
  if (region != "us-east-1") call.body = create_bucket_xml(region);
  const Reply reply = co_await service_.send(call);
  if (!reply.failure) co_return true;
  if (reply.failure->code == "BucketAlreadyOwnedByYou") co_return false;
  // Some stores say the same of one's own and of others'; only one's own can be looked at.
  if (reply.failure->code == "BucketAlreadyExists") {
    const Reply head = co_await service_.send({.method = "HEAD", .bucket = bucket});
    if (!head.failure) co_return false;
  }
  service_.fail(call, reply);
}

Task<ConditionSupport> Writer::support(const std::string& bucket) {
  if (service_.config().create_buckets) {
    const Reply head = co_await service_.send({.method = "HEAD", .bucket = bucket});
    if (head.failure && head.failure->is_missing()) co_await create_bucket(bucket);
  }
  co_return co_await conditions_.of(bucket);
}

Task<Writer::Plan> Writer::plan(ObjectKey key, const PutOptions& options) {
  Plan plan{std::move(key), {}, {}, options.tags};
  plan.headers.set("Content-Type", "application/octet-stream");
  add_metadata(plan.headers, options.metadata);
  if (!options.tags.empty()) plan.headers.set("x-amz-tagging", tagging_text(options.tags));
  if (!is_conditional(options.condition)) co_return plan;
  const ConditionSupport can = co_await support(plan.key.bucket);
  const bool absent = options.condition.if_absent;
  if (absent ? !can.put_if_absent : !can.put_if_match) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{}: the store does not obey {} on a write (it was tried), so two "
                            "writers could both win; keep tables and edited objects elsewhere",
                            service_.where(plan.key.bucket, plan.key.path),
                            absent ? "If-None-Match" : "If-Match"));
  }
  add_condition(plan.condition, options.condition, can.etag_form);
  plan.in_parts_too = absent ? can.parts_if_absent : can.parts_if_match;
  co_return plan;
}

Task<std::optional<Etag>> Writer::put(ObjectKey key, ByteSource& body, PutOptions options) {
  const WriteCondition& condition = options.condition;
  if (condition.if_absent && condition.if_match) co_return std::nullopt;  // Both never hold.
  PartReader parts(body, service_.config().part_size, summed());
  Payload first = co_await parts.next();
  // A body that fills the first part to the brim may still be all there is.
  Payload second;
  if (first.size() == service_.config().part_size) second = co_await parts.next();
  // An etag of no bucket is a lost condition, not a bucket to be made.
  if (condition.if_match) {
    const Reply head = co_await service_.send({.method = "HEAD", .bucket = key.bucket});
    if (head.failure && head.failure->is_missing()) co_return std::nullopt;
  }
  const Plan how = co_await plan(std::move(key), options);
  if (second.size() == 0) co_return co_await put_whole(how, std::move(first));
  co_return co_await put_parts(how, std::move(first), std::move(second), parts);
}

Task<std::optional<Etag>> Writer::put_whole(const Plan& plan, Payload body) {
  Call call{.method = "PUT", .bucket = plan.key.bucket, .key = plan.key.path};
  call.headers = plan.headers;
  for (const auto& [name, value] : plan.condition) call.headers.set(name, value);
  if (summed()) call.headers.set("x-amz-checksum-crc32", checksum_text(body.crc32()));
  call.payload = std::make_shared<const Payload>(std::move(body));
  const Reply reply = co_await send_making_bucket(call);
  if (!reply.failure) co_return unquoted(reply.headers.get("ETag"));
  const bool conditional = plan.condition.size() > 0;
  if (conditional && reply.failure->is_lost_condition()) co_return std::nullopt;
  if (plan.condition.find("If-Match") && reply.failure->is_missing()) co_return std::nullopt;
  service_.fail(call, reply);
}

Task<std::optional<Etag>> Writer::put_parts(const Plan& plan, Payload first, Payload second,
                                            PartReader& rest) {
  if (!plan.in_parts_too) {
    throw Error(ErrorKind::kInvalid,
                fmt::format("{}: the store obeys conditions on whole objects only (it was tried), "
                            "and this one is larger than a part; set `part_size` above its size",
                            service_.where(plan.key.bucket, plan.key.path)));
  }
  if (service_.config().create_buckets) {
    const Reply head = co_await service_.send({.method = "HEAD", .bucket = plan.key.bucket});
    if (head.failure && head.failure->is_missing()) co_await create_bucket(plan.key.bucket);
  }
  Upload upload(service_, plan.key);
  std::exception_ptr failed;
  std::optional<Etag> etag;
  try {
    co_await upload.begin(plan.headers, summed());
    int number = 0;
    std::vector<Payload> waiting;
    waiting.push_back(std::move(second));
    waiting.push_back(std::move(first));
    Slots reading(1);
    const auto next = [&]() -> Task<std::pair<int, Payload>> {
      co_await reading.acquire(1);
      struct Release {
        Slots& slots;
        ~Release() { slots.release(1); }
      } release{reading};
      if (!waiting.empty()) {
        Payload part = std::move(waiting.back());
        waiting.pop_back();
        co_return std::pair(++number, std::move(part));
      }
      Payload part = co_await rest.next();
      co_return std::pair(part.size() == 0 ? number : ++number, std::move(part));
    };
    co_await Upload::run_workers(service_.config().parallel_parts, [&]() -> Task<> {
      while (true) {
        auto [mine, part] = co_await next();
        if (part.size() == 0) co_return;
        if (mine > kMostParts) {
          throw Error(ErrorKind::kInvalid,
                      fmt::format("{}: an object has at most {} parts; set a larger `part_size`",
                                  service_.where(plan.key.bucket, plan.key.path), kMostParts));
        }
        co_await upload.put_part(mine, std::move(part));
      }
    });
    etag = co_await upload.complete(plan.condition);
  } catch (...) {
    failed = std::current_exception();
  }
  if (failed || !etag) co_await upload.abort();
  if (failed) std::rethrow_exception(failed);
  if (etag) co_await ensure_tags(plan.key, plan.tags);
  co_return etag;
}

/// Some stores (radosgw 16) drop the tags that an upload by parts began with, and keep the source's
/// at a copy that was to replace them.
Task<> Writer::ensure_tags(const ObjectKey& key, const Tags& tags) {
  if (tags.empty()) co_return;
  const Reply there = co_await service_.send(
      {.method = "GET", .bucket = key.bucket, .key = key.path, .query = {{"tagging", ""}}});
  if (!there.failure && parse_tagging(there.body) == tags) co_return;
  Call call{.method = "PUT", .bucket = key.bucket, .key = key.path, .query = {{"tagging", ""}}};
  call.body = tagging_xml(tags);
  call.headers.set("Content-MD5", content_md5(call.body));
  const Reply reply = co_await service_.send(call);
  if (reply.failure && !reply.failure->is_missing()) service_.fail(call, reply);
}

Task<bool> Writer::remove(ObjectKey key, std::optional<Etag> if_match) {
  Call call{.method = "DELETE", .bucket = key.bucket, .key = key.path};
  const Call look{.method = "HEAD", .bucket = key.bucket, .key = key.path};
  const Reply head = co_await service_.send(look);
  if (head.failure && head.failure->is_missing()) co_return false;
  if (head.failure) service_.fail(look, head);
  if (if_match) {
    if (unquoted(head.headers.get("ETag")) != *if_match) co_return false;
    const ConditionSupport can = co_await conditions_.of(key.bucket);
    if (can.remove_if_match) call.headers.set("If-Match", quoted(*if_match));
  }
  const Reply reply = co_await service_.send(call);
  if (!reply.failure) co_return true;
  if (reply.failure->is_missing() || reply.failure->is_lost_condition()) co_return false;
  service_.fail(call, reply);
}

Task<> Writer::remove_many(std::string bucket, std::vector<Deletion> deletions) {
  for (std::size_t at = 0; at < deletions.size(); at += kKeysPerDeletion) {
    const auto begin = deletions.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = std::min(kKeysPerDeletion, deletions.size() - at);
    co_await remove_page(bucket, {begin, begin + static_cast<std::ptrdiff_t>(count)});
  }
}

Task<> Writer::remove_page(const std::string& bucket, std::vector<Deletion> page) {
  // XML can't hold these: one request each.
  const auto in_xml = [](const Deletion& deletion) {
    return std::ranges::all_of(deletion.path, [](unsigned char c) { return c >= ' '; });
  };
  const auto others = std::ranges::partition(page, in_xml);
  for (const Deletion& deletion : others) {
    Call call{.method = "DELETE", .bucket = bucket, .key = deletion.path};
    if (!deletion.version.empty()) call.query.emplace_back("versionId", deletion.version);
    const Reply reply = co_await service_.send(call);
    if (reply.failure && !reply.failure->is_missing()) service_.fail(call, reply);
  }
  page.erase(others.begin(), others.end());
  if (page.empty()) co_return;
  Call call{.method = "POST", .bucket = bucket, .query = {{"delete", ""}}};
  call.body = delete_xml(page);
  call.headers.set("Content-MD5", content_md5(call.body));
  const Reply reply = co_await service_.send(call);
  if (reply.failure && reply.failure->is_missing_bucket()) co_return;
  if (reply.failure) service_.fail(call, reply);
  const auto refused = parse_delete_result(reply.body);
  if (refused.empty()) co_return;
  Failure failure{.status = 403, .code = refused[0].code, .text = refused[0].text};
  if (failure.code == "InternalError" || failure.code == "SlowDown") failure.status = 503;
  throw error_of(
      failure, "DELETE",
      fmt::format("{} and {} more", service_.where(bucket, refused[0].path), refused.size() - 1),
      reply.asker);
}

/// An object to be copied, and what goes along.
struct Writer::Source {
  ObjectInfo info;
  Headers fields;                 // The standard fields that describe its content.
  std::optional<Tags> with_tags;  // Its tags and those added, if any were.

  Headers copied_from() const {
    return {{"x-amz-copy-source",
             "/" + uri_encode(info.key.bucket) + "/" + uri_encode(info.key.path, true)},
            {"x-amz-copy-source-if-match", quoted(info.etag)}};
  }
};

Task<std::optional<Writer::Source>> Writer::find_source(ObjectKey from, const PutOptions& options) {
  const Call look{.method = "HEAD", .bucket = from.bucket, .key = from.path};
  const Reply head = co_await service_.send(look);
  if (head.failure && head.failure->is_missing()) co_return std::nullopt;
  if (head.failure) service_.fail(look, head);
  Source source{read_info(from, head.headers), {}, {}};
  for (const char* name : {"Content-Type", "Content-Encoding", "Content-Disposition",
                           "Content-Language", "Cache-Control"}) {
    if (const std::string* value = head.headers.find(name)) source.fields.set(name, *value);
  }
  const bool by_parts = source.info.size > service_.config().largest_single_copy;
  const bool tagged = head.headers.get("x-amz-tagging-count") != "0";
  if (options.tags.empty() && !(by_parts && tagged)) co_return source;
  const Reply tagging = co_await service_.send(
      {.method = "GET", .bucket = from.bucket, .key = from.path, .query = {{"tagging", ""}}});
  source.with_tags = options.tags;
  if (!tagging.failure) {
    const Tags own = parse_tagging(tagging.body);
    source.with_tags->insert(own.begin(), own.end());
  } else if (tagging.failure->code != "NoSuchTagSet") {
    service_.fail("GET", service_.where(from.bucket, from.path) + "?tagging", tagging);
  }
  co_return source;
}

Task<std::optional<Etag>> Writer::copy(ObjectKey from, ObjectKey to, PutOptions options) {
  const WriteCondition condition = options.condition;
  if (condition.if_absent && condition.if_match) co_return std::nullopt;
  const auto source = co_await find_source(std::move(from), options);
  if (!source) co_return std::nullopt;
  const bool large = source->info.size > service_.config().largest_single_copy;
  Headers header;
  if (is_conditional(condition)) {
    const ConditionSupport can = co_await support(to.bucket);
    const bool whole = condition.if_absent ? can.copy_if_absent : can.copy_if_match;
    const bool parts = condition.if_absent ? can.parts_if_absent : can.parts_if_match;
    // What the store won't copy under a condition goes through here as a conditional put.
    if (large ? !parts : !whole) {
      co_return co_await copy_through(*source, std::move(to), std::move(options));
    }
    add_condition(header, condition, can.etag_form);
  }
  if (large) co_return co_await copy_parts(*source, to, options, std::move(header));
  co_return co_await copy_whole(*source, to, options, std::move(header));
}

Task<std::optional<Etag>> Writer::copy_whole(const Source& source, const ObjectKey& to,
                                             const PutOptions& options, Headers condition) {
  Call call{.method = "PUT", .bucket = to.bucket, .key = to.path};
  call.headers = source.copied_from();
  for (const auto& [name, value] : condition) call.headers.set(name, value);
  // Onto itself, a store wants to be told of something that changes.
  if (!options.metadata.empty() || source.info.key == to) {
    Metadata metadata = options.metadata;
    metadata.insert(source.info.metadata.begin(), source.info.metadata.end());
    call.headers.set("x-amz-metadata-directive", "REPLACE");
    add_metadata(call.headers, metadata);
    for (const auto& [name, value] : source.fields) call.headers.set(name, value);
  }
  if (source.with_tags) {
    call.headers.set("x-amz-tagging-directive", "REPLACE");
    call.headers.set("x-amz-tagging", tagging_text(*source.with_tags));
  }
  const Reply reply = co_await send_making_bucket(call);
  if (!reply.failure) {
    if (source.with_tags) co_await ensure_tags(to, *source.with_tags);
    co_return unquoted(find_element(reply.body, "ETag"));
  }
  const Failure& failure = *reply.failure;
  if (failure.is_lost_condition()) {
    const auto now = co_await find_source(source.info.key, {});
    if (now && now->info.etag != source.info.etag) {
      throw Error(ErrorKind::kTransient,
                  service_.where(source.info.key.bucket, source.info.key.path) +
                      " was replaced while it was copied; copy it anew");
    }
    co_return std::nullopt;
  }
  if (failure.is_missing() && !failure.is_missing_bucket()) co_return std::nullopt;
  service_.fail(call, reply);
}

Task<std::optional<Etag>> Writer::copy_parts(const Source& source, const ObjectKey& to,
                                             const PutOptions& options, Headers condition) {
  Headers headers = source.fields;
  Metadata metadata = options.metadata;
  metadata.insert(source.info.metadata.begin(), source.info.metadata.end());
  add_metadata(headers, metadata);
  if (source.with_tags && !source.with_tags->empty()) {
    headers.set("x-amz-tagging", tagging_text(*source.with_tags));
  }
  Upload upload(service_, to);
  std::exception_ptr failed;
  std::optional<Etag> etag;
  bool changed = false;
  try {
    co_await upload.begin(std::move(headers), false);
    const std::uint64_t size = service_.config().copy_part_size;
    std::uint64_t at = 0;
    int number = 0;
    co_await Upload::run_workers(service_.config().parallel_parts, [&]() -> Task<> {
      while (at < source.info.size && !changed) {
        const std::uint64_t begin = at;
        const std::uint64_t end = std::min(begin + size, source.info.size);
        const int mine = ++number;
        at = end;
        Headers part = source.copied_from();
        part.set("x-amz-copy-source-range", fmt::format("bytes={}-{}", begin, end - 1));
        if (!co_await upload.copy_part(mine, std::move(part), end - begin)) changed = true;
      }
    });
    if (changed) {
      throw Error(ErrorKind::kTransient,
                  service_.where(source.info.key.bucket, source.info.key.path) +
                      " was replaced while it was copied; copy it anew");
    }
    etag = co_await upload.complete(std::move(condition));
  } catch (...) {
    failed = std::current_exception();
  }
  if (failed || !etag) co_await upload.abort();
  if (failed) std::rethrow_exception(failed);
  if (etag && source.with_tags) co_await ensure_tags(to, *source.with_tags);
  co_return etag;
}

Task<std::optional<Etag>> Writer::copy_through(const Source& source, ObjectKey to,
                                               PutOptions options) {
  const ObjectKey& from = source.info.key;
  if (!source.with_tags) {
    const Reply tagging = co_await service_.send(
        {.method = "GET", .bucket = from.bucket, .key = from.path, .query = {{"tagging", ""}}});
    if (!tagging.failure) options.tags = parse_tagging(tagging.body);
  } else {
    options.tags = *source.with_tags;
  }
  options.metadata.insert(source.info.metadata.begin(), source.info.metadata.end());
  Call call{.method = "GET", .bucket = from.bucket, .key = from.path};
  call.headers.set("If-Match", quoted(source.info.etag));
  call.streamed = true;
  Reply reply = co_await service_.send(call);
  if (reply.failure && reply.failure->is_missing()) co_return std::nullopt;
  if (reply.failure && reply.failure->is_lost_condition()) {
    throw Error(ErrorKind::kTransient, service_.where(from.bucket, from.path) +
                                           " was replaced while it was copied; copy it anew");
  }
  if (reply.failure) service_.fail(call, reply);
  co_return co_await put(std::move(to), *reply.stream, std::move(options));
}

}  // namespace headrace::s3
