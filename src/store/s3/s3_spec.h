#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "net/credentials_spec.h"
#include "stack/spec.h"

namespace headrace {

/// Where the bucket's name goes: "host/bucket/key" or "bucket.host/key".
enum class S3Addressing : unsigned char { kAuto, kPath, kVirtual };

/// When checksums go with requests and are asked for with answers.
enum class S3Checksums : unsigned char { kWhenSupported, kWhenRequired };

/// `kind: s3` in the stack file.
struct S3StoreStanza {
  std::string endpoint;
  std::string region;
  CredentialsStanza credentials;
  S3Addressing addressing = S3Addressing::kAuto;
  std::optional<std::filesystem::path> ca_file;
  bool verify = true;
  Duration connect_timeout = std::chrono::seconds(5);
  Duration idle_timeout = std::chrono::seconds(30);
  Duration request_timeout = std::chrono::minutes(5);
  std::uint64_t connections = 64;
  std::uint64_t part_size = 16u << 20;
  std::uint64_t parallel_parts = 4;
  S3Checksums checksums = S3Checksums::kWhenSupported;
  std::uint64_t attempts = 8;
  bool create_buckets = false;
};

inline const stack::Spec<S3StoreStanza>& s3_store_spec() {
  static const auto spec =
      stack::Spec<S3StoreStanza>("s3 store", "Amazon S3, or any store that speaks its protocol")
          .field("endpoint", &S3StoreStanza::endpoint,
                 "URL of the store; absent: Amazon's own in the region",
                 stack::example("https://minio.example.net:9000"))
          .field("region", &S3StoreStanza::region,
                 "Region; absent: AWS_REGION, else us-east-1, and where the buckets turn out to be",
                 stack::example("eu-central-1"))
          .field("credentials", &S3StoreStanza::credentials, "What requests are signed with",
                 credentials_spec())
          .field("addressing", &S3StoreStanza::addressing,
                 "Where a bucket's name goes: `path` (host/bucket), `virtual` (bucket.host), or "
                 "`auto`: virtual on Amazon, path elsewhere",
                 stack::one_of<S3Addressing>({{"auto", S3Addressing::kAuto},
                                              {"path", S3Addressing::kPath},
                                              {"virtual", S3Addressing::kVirtual}}))
          .field("ca_file", &S3StoreStanza::ca_file,
                 "Certificates to trust instead of the system's, as PEM")
          .field("verify", &S3StoreStanza::verify, "Check certificates and host names")
          .field("connect_timeout", &S3StoreStanza::connect_timeout,
                 "For the name look-up, TCP and TLS together",
                 stack::at_least(std::chrono::milliseconds(1)))
          .field("idle_timeout", &S3StoreStanza::idle_timeout, "Without a byte in either direction",
                 stack::at_least(std::chrono::milliseconds(1)))
          .field("request_timeout", &S3StoreStanza::request_timeout,
                 "For a whole request; for a read, until its first byte",
                 stack::at_least(std::chrono::milliseconds(1)))
          .field("connections", &S3StoreStanza::connections, "Most at a time", stack::at_least(1),
                 stack::at_most(4096))
          .field("part_size", &S3StoreStanza::part_size,
                 "Larger objects go up in parts of this size; 10,000 parts are the most there are",
                 stack::bytes(), stack::at_least(5u << 20), stack::at_most(std::uint64_t{5} << 30))
          .field("parallel_parts", &S3StoreStanza::parallel_parts,
                 "Parts of one object on their way at a time; each takes part_size of memory",
                 stack::at_least(1), stack::at_most(64))
          .field("checksums", &S3StoreStanza::checksums,
                 "CRC sums with what is sent, checked on what is read: `when_supported`, or "
                 "`when_required` for stores that refuse them",
                 stack::one_of<S3Checksums>({{"when_supported", S3Checksums::kWhenSupported},
                                             {"when_required", S3Checksums::kWhenRequired}}))
          .field("attempts", &S3StoreStanza::attempts,
                 "Tries of a request that failed for a moment, the first included",
                 stack::at_least(1), stack::at_most(100))
          .field("create_buckets", &S3StoreStanza::create_buckets,
                 "A write makes its bucket if it is missing; without it, `apply` makes buckets");
  return spec;
}

}  // namespace headrace
