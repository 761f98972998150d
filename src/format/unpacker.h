#pragma once

#include <cstdint>
#include <memory>

#include "core/bytes.h"
#include "core/error.h"
#include "format/compression.h"

namespace headrace::unpacking {

/// Packed input not yet looked at, and how much went before it.
struct Input {
  Bytes bytes;
  std::size_t at = 0;
  std::uint64_t before = 0;

  BytesView rest() const { return BytesView(bytes).substr(at); }
  std::uint64_t position() const { return before + at; }
};

/// One format's part of the work.
class Unpacker {
 public:
  virtual ~Unpacker() = default;
  /// Fills `out` from `input`; returns the bytes written. 0: more input is needed.
  virtual std::size_t unpack(Input& input, char* out, std::size_t room) = 0;
  /// May the input end here?
  virtual bool complete() const = 0;
};

Error out_of_memory();
Error broken(Compression compression, std::uint64_t position, std::string_view why);

/// bzip2, xz, lz4 frames, snappy's framing: each any number of streams one after another. Null for
/// what is none of them.
std::unique_ptr<Unpacker> make_other_unpacker(Compression compression, DecompressLimits limits);

}  // namespace headrace::unpacking
