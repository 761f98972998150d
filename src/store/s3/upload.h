#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/object.h"
#include "core/task.h"
#include "store/s3/messages.h"
#include "store/s3/service.h"

namespace headrace::s3 {

/// The most parts an object can have (Amazon S3 User Guide, "Multipart upload limits").
inline constexpr int kMostParts = 10'000;

/// One upload by parts. Its requests are tried again by themselves, since nobody above can give the
/// bytes twice. On the service's executor; parts may go up at the same time.
class Upload {
 public:
  Upload(Service& service, ObjectKey key) : service_(service), key_(std::move(key)) {}

  /// `headers`: metadata, tags, type. With `summed`, parts and the whole carry a CRC-32.
  Task<> begin(Headers headers, bool summed);
  Task<> put_part(int number, Payload payload);
  /// A part out of another object's bytes; false if that changed (`source` holds the condition).
  Task<bool> copy_part(int number, Headers source, std::uint64_t size);
  /// Makes the object; nullopt if the condition did not hold. A completion whose answer was lost is
  /// recognised by the etag that the parts make.
  Task<std::optional<Etag>> complete(Headers condition);
  /// Throws the parts away. Never throws, and is not stopped by a cancellation: what could not be
  /// thrown away is left to the bucket's lifecycle rule for unfinished uploads.
  Task<> abort();

  /// Runs `worker` several times at once and waits for all; the first failure stops the others.
  static Task<> run_workers(std::size_t count, std::function<Task<>()> worker);

 private:
  /// `tries`, if given, tells how often the call was sent.
  Task<Reply> retried(Call call, int* tries = nullptr);
  Task<std::optional<Etag>> find_completed();
  Task<Etag> etag_of_completed(const Reply& reply);
  std::optional<Etag> expected_etag() const;
  void sort_parts();

  Service& service_;
  ObjectKey key_;
  std::string id_;
  bool summed_ = false;
  std::vector<UploadedPart> parts_;
};

}  // namespace headrace::s3
