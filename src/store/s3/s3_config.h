#pragma once

#include <cstdint>
#include <string>

#include "core/clock.h"
#include "core/retry.h"
#include "store/s3/s3_spec.h"

namespace headrace {

/// An S3 store as the program uses it; s3_spec.h says what the fields mean.
struct S3StoreConfig {
  std::string name = "s3";  ///< In messages: "s3://bucket/key".
  std::string endpoint;     ///< Empty: Amazon's own.
  std::string region;       ///< Empty: us-east-1.
  S3Addressing addressing = S3Addressing::kAuto;
  S3Checksums checksums = S3Checksums::kWhenSupported;
  Duration request_timeout = std::chrono::minutes(5);
  std::uint64_t part_size = 16u << 20;
  std::size_t parallel_parts = 4;
  bool create_buckets = false;
  /// For the requests of an upload by parts, which nobody above can repeat. All others are tried
  /// once here and again by store/retrying_store.h.
  RetryPolicy part_retry{8,
                         {std::chrono::milliseconds(50), std::chrono::seconds(20)},
                         Backoff{std::chrono::seconds(1), std::chrono::seconds(20)}};
  /// Larger objects are copied by parts: Amazon's limit for one request.
  std::uint64_t largest_single_copy = std::uint64_t{5} << 30;
  std::uint64_t copy_part_size = std::uint64_t{512} << 20;
};

}  // namespace headrace
