#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/bytes.h"

// The front of a message made short before its CRC is taken, many times faster than a table does
// it. Both sums here are reflected: the first bit of a message is the lowest of its first byte.
namespace headrace::s3 {

/// The first `taken` bytes of a message, as 16 bytes that leave an empty register as those left
/// theirs. Nothing is taken of a short message.
struct Folded {
  std::size_t taken = 0;
  std::array<char, 16> bytes{};

  BytesView view() const { return {bytes.data(), bytes.size()}; }
};

/// `before`: the register, not inverted, that the message begins with.
Folded fold_crc32(BytesView message, std::uint32_t before);
Folded fold_crc64_nvme(BytesView message, std::uint64_t before);

}  // namespace headrace::s3
