#include "store/s3/upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <charconv>

#include "core/error.h"
#include "core/retry.h"
#include "store/s3/checksum.h"
#include "store/s3/fields.h"

namespace headrace::s3 {

Task<Reply> Upload::retried(Call call, int* tries) {
  co_return co_await with_retry(
      service_.config().part_retry, service_.clock(), service_.random(), [&]() -> Task<Reply> {
        if (tries != nullptr) ++*tries;
        Reply reply = co_await service_.send(call);
        if (reply.failure && classify(*reply.failure) == ErrorKind::kTransient) {
          service_.fail(call, reply);
        }
        co_return reply;
      });
}

Task<> Upload::begin(Headers headers, bool summed) {
  summed_ = summed;
  if (summed_) {
    headers.set("x-amz-checksum-algorithm", "CRC32");
    headers.set("x-amz-checksum-type", "FULL_OBJECT");
  }
  Call call{.method = "POST",
            .bucket = key_.bucket,
            .key = key_.path,
            .query = {{"uploads", ""}},
            .headers = std::move(headers)};
  const Reply reply = co_await retried(call);
  if (reply.failure) service_.fail(call, reply);
  id_ = find_element(reply.body, "UploadId");
  if (id_.empty()) {
    throw Error(ErrorKind::kTransient,
                service_.where(key_.bucket, key_.path) + ": the answer names no upload");
  }
}

Task<> Upload::put_part(int number, Payload payload) {
  UploadedPart part{number, {}, payload.size(), {}};
  Call call{.method = "PUT",
            .bucket = key_.bucket,
            .key = key_.path,
            .query = {{"partNumber", std::to_string(number)}, {"uploadId", id_}}};
  if (summed_) {
    part.crc32 = payload.crc32();
    call.headers.set("x-amz-checksum-crc32", checksum_text(*part.crc32));
  }
  call.payload = std::make_shared<const Payload>(std::move(payload));
  const Reply reply = co_await retried(std::move(call));
  if (reply.failure) service_.fail("PUT", service_.where(key_.bucket, key_.path), reply);
  part.etag = unquoted(reply.headers.get("ETag"));
  parts_.push_back(std::move(part));
}

Task<bool> Upload::copy_part(int number, Headers source, std::uint64_t size) {
  const Reply reply =
      co_await retried({.method = "PUT",
                        .bucket = key_.bucket,
                        .key = key_.path,
                        .query = {{"partNumber", std::to_string(number)}, {"uploadId", id_}},
                        .headers = std::move(source)});
  if (reply.failure && reply.failure->is_lost_condition()) co_return false;
  if (reply.failure) service_.fail("PUT", service_.where(key_.bucket, key_.path), reply);
  parts_.push_back({number, unquoted(find_element(reply.body, "ETag")), size, {}});
  co_return true;
}

void Upload::sort_parts() {
  std::ranges::sort(parts_, {}, [](const UploadedPart& part) { return part.number; });
}

Task<std::optional<Etag>> Upload::complete(Headers condition) {
  sort_parts();
  if (summed_ && !parts_.empty()) {
    std::uint32_t sum = 0;
    for (const UploadedPart& part : parts_) sum = crc32_joined(sum, *part.crc32, part.size);
    condition.set("x-amz-checksum-crc32", checksum_text(sum));
    condition.set("x-amz-checksum-type", "FULL_OBJECT");
  }
  const Call call{.method = "POST",
                  .bucket = key_.bucket,
                  .key = key_.path,
                  .query = {{"uploadId", id_}},
                  .headers = std::move(condition),
                  .body = complete_xml(parts_)};
  int tries = 0;
  const Reply reply = co_await retried(call, &tries);
  if (!reply.failure) co_return co_await etag_of_completed(reply);
  const Failure& failure = *reply.failure;
  if (failure.is_lost_condition() || failure.is_missing()) {
    // Only after an earlier try can this one have come too late for its own.
    if (tries > 1) {
      if (const auto done = co_await find_completed()) co_return done;
    }
    // If-Match on a key that is gone; an upload that is gone is an error.
    if (failure.is_lost_condition() || failure.code == "NoSuchKey") co_return std::nullopt;
  }
  service_.fail(call, reply);
}

/// Some stores (radosgw 16) leave the etag out of their answer.
Task<Etag> Upload::etag_of_completed(const Reply& reply) {
  const Etag told = unquoted(find_element(reply.body, "ETag"));
  if (!told.value.empty()) co_return told;
  if (const auto expected = expected_etag()) co_return *expected;
  const Call look{.method = "HEAD", .bucket = key_.bucket, .key = key_.path};
  const Reply head = co_await retried(look);
  if (head.failure) service_.fail(look, head);
  co_return unquoted(head.headers.get("ETag"));
}

std::optional<Etag> Upload::expected_etag() const {
  std::string digests;
  for (const UploadedPart& part : parts_) {
    const std::string& hex = part.etag.value;
    if (hex.size() != 32) return std::nullopt;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      unsigned byte = 0;
      const auto read = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
      if (read.ptr != hex.data() + i + 2) return std::nullopt;
      digests.push_back(static_cast<char>(byte));
    }
  }
  std::string text;
  for (const char c : md5_raw(digests)) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return Etag{fmt::format("{}-{}", text, parts_.size())};
}

Task<std::optional<Etag>> Upload::find_completed() {
  const auto expected = expected_etag();
  if (!expected) co_return std::nullopt;
  const Reply reply = co_await retried({.method = "HEAD", .bucket = key_.bucket, .key = key_.path});
  if (reply.failure || unquoted(reply.headers.get("ETag")) != *expected) co_return std::nullopt;
  co_return expected;
}

Task<> Upload::abort() {
  if (id_.empty()) co_return;
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  try {
    co_await retried({.method = "DELETE",
                      .bucket = key_.bucket,
                      .key = key_.path,
                      .query = {{"uploadId", id_}}});
  } catch (const Error&) {
    // The failure that led here is the one to tell.
  }
}

Task<> Upload::run_workers(std::size_t count, std::function<Task<>()> worker) {
  namespace asio = boost::asio;
  const auto executor = co_await asio::this_coro::executor;
  using Operation = decltype(asio::co_spawn(executor, worker(), asio::deferred));
  std::vector<Operation> operations;
  for (std::size_t i = 0; i < count; ++i) {
    operations.push_back(asio::co_spawn(executor, worker(), asio::deferred));
  }
  auto [order, failures] =
      co_await asio::experimental::make_parallel_group(std::move(operations))
          .async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
  // The first that failed is the cause; the others were stopped because of it.
  for (const std::size_t i : order) {
    if (failures[i]) std::rethrow_exception(failures[i]);
  }
}

}  // namespace headrace::s3
