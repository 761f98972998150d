#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/task.h"

namespace headrace {

/// Bytes with an owner, and bytes lent by one. Not text: any value may occur.
using Bytes = std::string;
using BytesView = std::string_view;

/// Bytes that arrive in pieces, read once from front to back by one reader.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next piece, at most about 1 MiB; empty at the end, and from then on.
  virtual Task<Bytes> read() = 0;
};

/// A ByteSource over bytes already in memory, given out in pieces of `piece` bytes.
std::unique_ptr<ByteSource> source_of(Bytes bytes, std::size_t piece = 1 << 20);

/// Reads `source` to its end. Throws kInvalid once more than `limit` bytes came.
Task<Bytes> read_all(ByteSource& source, std::uint64_t limit);

}  // namespace headrace
