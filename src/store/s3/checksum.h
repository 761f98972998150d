#pragma once

#include <cstdint>
#include <string>

#include "core/bytes.h"

// The checksums that S3 stores keep beside an object (Amazon S3 User Guide, "Checking object
// integrity"): base64 of the sum's bytes, highest first.
namespace headrace::s3 {

/// CRC-32 as zlib has it. `before` is the sum of what came before.
std::uint32_t crc32(BytesView bytes, std::uint32_t before = 0);
/// The sum of two pieces one behind the other, the second of them `length` bytes long.
std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t length);
/// CRC-64/NVME: reflected polynomial 9A6C9329AC4BC9B5, all ones before and after.
std::uint64_t crc64_nvme(BytesView bytes, std::uint64_t before = 0);

/// As it stands in x-amz-checksum-crc32 and x-amz-checksum-crc64nvme.
std::string checksum_text(std::uint32_t sum);
std::string checksum_text(std::uint64_t sum);

/// MD5 of `bytes`: base64 for Content-MD5; raw for the etag of an object made of parts.
std::string md5_raw(BytesView bytes);
std::string content_md5(BytesView bytes);

}  // namespace headrace::s3
