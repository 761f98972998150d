#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/bytes.h"

namespace headrace::s3 {

/// Bytes on their way up, kept in the pieces that they came in: a large object is neither moved
/// together nor copied for each try. Takes up to twice its size in memory, and 256 KiB.
class Payload {
 public:
  /// `summed`: a CRC-32 is made as the pieces come.
  explicit Payload(bool summed = false) : summed_(summed) {}

  void add(Bytes piece);
  std::uint64_t size() const { return size_; }
  const std::vector<Bytes>& pieces() const { return pieces_; }
  /// Only of one that is summed.
  std::uint32_t crc32() const { return crc32_; }

 private:
  bool summed_;
  std::uint32_t crc32_ = 0;
  std::uint64_t size_ = 0;
  std::vector<Bytes> pieces_;
};

/// A body cut into payloads of one size, in one order, by one reader at a time.
class PartReader {
 public:
  /// `body` outlives the reader.
  PartReader(ByteSource& body, std::uint64_t size, bool summed)
      : body_(body), size_(size), summed_(summed) {}

  /// The next part; shorter than the size, or empty, only at the end.
  Task<Payload> next();

 private:
  ByteSource& body_;
  const std::uint64_t size_;
  const bool summed_;
  Bytes rest_;  // Of a piece that went over a part's end.
  bool ended_ = false;
};

}  // namespace headrace::s3
