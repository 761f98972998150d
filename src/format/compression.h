#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/bytes.h"
#include "core/task.h"

namespace headrace {

/// How an object's bytes are packed.
enum class Compression : unsigned char { kNone, kGzip, kZstd, kBzip2, kXz, kLz4, kSnappy };

/// "none", "gzip", "zstd", "bzip2", "xz", "lz4", "snappy".
std::string_view to_string(Compression compression);

/// How many first bytes detect_compression() wants; fewer are enough if the object has no more.
inline constexpr std::size_t kCompressionMagicBytes = 10;

/// Tells by the first bytes, never by a name: gzip, zstd (a frame or a skippable frame), bzip2, xz,
/// lz4 frames, snappy in its framing format, else kNone. Raw snappy blocks cannot be told.
Compression detect_compression(BytesView start);

/// What unpacking may cost. Output comes in pieces, so these bound time and disk, not memory;
/// memory is bounded by `window_bytes`.
struct DecompressLimits {
  std::uint64_t output_bytes = 64ull << 30;  ///< Beyond, kInvalid.
  /// Output per input byte. Beyond, kCorrupt; looked at only once 64 MiB came out, so that a small
  /// and very regular object passes. gzip cannot exceed 1032.
  std::uint64_t ratio = 500;
  std::uint64_t window_bytes = 128u << 20;  ///< zstd or xz that needs more memory is kInvalid.
};

/// Unpacks gzip (any number of members), zstd (any number of frames, skippable ones included), and
/// bzip2, xz, lz4 and snappy (any number of streams), or passes plain bytes through, as the first
/// bytes say. Pull and push take turns:
///
///   Decompressor unpack(limits);
///   for each piece: { unpack.push(piece); while (Bytes out = unpack.next(); !out.empty()) ...; }
///   unpack.finish();
///   while (Bytes out = unpack.next(); !out.empty()) ...;      // throws if the input ended early
///
/// After the last gzip member or xz stream zero bytes are padding and are dropped; anything else
/// that is no member, and anything after a zstd frame that is no frame, is kCorrupt: half a file is
/// never taken for a whole one. An object shorter than a magic number is plain.
///
/// Errors   kCorrupt: broken or cut short, with the byte of the packed input where it was noticed.
///          kInvalid: a limit was passed. After a throw, drop it.
/// Threads  One at a time. CPU work only.
class Decompressor {
 public:
  explicit Decompressor(DecompressLimits limits = {});
  ~Decompressor();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;

  /// Hands over the next packed bytes. Only once next() gave nothing more.
  void push(Bytes piece);
  /// The next plain bytes, at most 256 KiB (of bytes that are not packed, what was pushed); empty
  /// if more input is needed, or at the end. Throws as above.
  Bytes next();
  /// No more input comes: next() gives the rest.
  void finish();

  /// What the bytes are; nullopt until enough of them came or finish() was called.
  std::optional<Compression> compression() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Packs bytes as one gzip member or one zstd frame, or passes them through; other kinds are
/// kInvalid. The same pieces give
/// the same bytes: no time, name or machine goes into the header.
///
/// Errors   kTransient if memory is short.
/// Threads  One at a time. CPU work only.
class Compressor {
 public:
  /// `level` as the library counts; 0 is its default.
  explicit Compressor(Compression compression, int level = 0);
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  /// Takes plain bytes and gives what is packed by now: often nothing, never much more than came
  /// in since the last output.
  Bytes push(BytesView piece);
  /// Closes the member or frame and gives the rest. No call may follow.
  Bytes finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The plain bytes of a source that may be packed. Unpacking runs on `cpu` if one is given (it
/// outlives the source), else where read() is awaited, 256 KiB of output at a time.
std::unique_ptr<ByteSource> decompressing(std::unique_ptr<ByteSource> packed,
                                          DecompressLimits limits = {}, CpuPool* cpu = nullptr);

}  // namespace headrace
