#include "format/compression.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "core/error.h"
#include "format/unpacker.h"

namespace headrace {
namespace {

using unpacking::Input;
using unpacking::out_of_memory;
using unpacking::Unpacker;

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::uint64_t kRatioFreeBytes = 64u << 20;
constexpr int kGzipWindow = 15 + 16;  // zlib: 32 KiB window, gzip header and trailer.

bool starts_gzip(BytesView bytes) { return bytes.starts_with("\x1f\x8b"); }

bool starts_zstd(BytesView bytes) {
  if (bytes.size() < 4) return false;
  const bool skippable = (static_cast<unsigned char>(bytes[0]) & 0xF0) == 0x50;
  return bytes.starts_with("\x28\xb5\x2f\xfd") ||
         (skippable && bytes.substr(1, 3) == BytesView("\x2a\x4d\x18", 3));
}

/// Its magic alone is text, so that the start of its first block, or of its end, counts too.
bool starts_bzip2(BytesView bytes) {
  if (!bytes.starts_with("BZh") || bytes.size() < 10 || bytes[3] < '1' || bytes[3] > '9') {
    return false;
  }
  return bytes.substr(4, 6) == "\x31\x41\x59\x26\x53\x59" ||
         bytes.substr(4, 6) == "\x17\x72\x45\x38\x50\x90";
}

bool starts_xz(BytesView bytes) {
  return bytes.starts_with(
      BytesView("\xFD"
                "7zXZ\0",
                6));
}
bool starts_lz4(BytesView bytes) { return bytes.starts_with("\x04\x22\x4d\x18"); }
bool starts_snappy(BytesView bytes) {
  return bytes.starts_with(BytesView("\xFF\x06\0\0sNaPpY", 10));
}

Bytef* as_zlib(const char* bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes));  // zlib's next_in is not const.
}

class GzipUnpacker final : public Unpacker {
 public:
  GzipUnpacker() {
    if (inflateInit2(&stream_, kGzipWindow) != Z_OK) throw out_of_memory();
  }
  ~GzipUnpacker() override { inflateEnd(&stream_); }
  GzipUnpacker(const GzipUnpacker&) = delete;
  GzipUnpacker& operator=(const GzipUnpacker&) = delete;

  std::size_t unpack(Input& input, char* out, std::size_t room) override {
    while (state_ == State::kMember || begin_member(input)) {
      const std::size_t written = inflate_some(input, out, room);
      if (written > 0 || state_ == State::kMember) return written;
    }
    return 0;
  }

  bool complete() const override { return state_ != State::kMember && !half_magic_; }

 private:
  enum class State : unsigned char { kBetween, kMember, kPadding };

  /// Skips padding and recognises the next member by its two magic bytes, which may come in two
  /// pieces. False if the input is used up.
  bool begin_member(Input& input) {
    for (; input.at < input.bytes.size(); ++input.at) {
      const auto byte = static_cast<unsigned char>(input.bytes[input.at]);
      if (half_magic_ && byte == 0x8b) {
        restart();
        return true;
      }
      if (!half_magic_ && byte == 0x1f && state_ == State::kBetween) {
        half_magic_ = true;
      } else if (!half_magic_ && byte == 0) {
        state_ = State::kPadding;
      } else {
        throw Error(ErrorKind::kCorrupt, fmt::format("gzip ends before byte {}, but what follows "
                                                     "there is no gzip",
                                                     input.position()));
      }
    }
    return false;
  }

  /// Begins a member whose first magic byte is gone from the input: zlib gets it from here.
  void restart() {
    inflateReset(&stream_);
    Bytef first = 0x1f;
    stream_.next_in = &first;
    stream_.avail_in = 1;
    stream_.avail_out = 0;
    inflate(&stream_, Z_NO_FLUSH);
    half_magic_ = false;
    state_ = State::kMember;
  }

  std::size_t inflate_some(Input& input, char* out, std::size_t room) {
    const BytesView rest = input.rest();
    const auto offered = static_cast<uInt>(std::min<std::size_t>(rest.size(), 1u << 30));
    stream_.next_in = as_zlib(rest.data());
    stream_.avail_in = offered;
    stream_.next_out = as_zlib(out);
    stream_.avail_out = static_cast<uInt>(room);
    const int answer = inflate(&stream_, Z_NO_FLUSH);
    input.at += offered - stream_.avail_in;
    if (answer == Z_STREAM_END) {
      state_ = State::kBetween;
    } else if (answer == Z_MEM_ERROR) {
      throw out_of_memory();
    } else if (answer != Z_OK && answer != Z_BUF_ERROR) {
      const char* why = stream_.msg != nullptr ? stream_.msg : "unknown";
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("gzip is broken at byte {}: {}", input.position(), why));
    }
    return room - stream_.avail_out;
  }

  z_stream stream_{};
  State state_ = State::kMember;
  bool half_magic_ = false;  // 0x1f seen between members, its 0x8b not yet.
};

class ZstdUnpacker final : public Unpacker {
 public:
  explicit ZstdUnpacker(std::uint64_t window_bytes)
      : context_(ZSTD_createDCtx()), window_bytes_(window_bytes) {
    if (context_ == nullptr) throw out_of_memory();
    const auto bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
    const int log = static_cast<int>(std::bit_width(window_bytes)) - 1;
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax,
                           std::clamp(log, bounds.lowerBound, bounds.upperBound));
  }
  ~ZstdUnpacker() override { ZSTD_freeDCtx(context_); }
  ZstdUnpacker(const ZstdUnpacker&) = delete;
  ZstdUnpacker& operator=(const ZstdUnpacker&) = delete;

  std::size_t unpack(Input& input, char* out, std::size_t room) override {
    ZSTD_outBuffer to{out, room, 0};
    // With nothing to take and nothing held back, a call would begin a frame that is not there.
    while (to.pos < to.size && (input.at < input.bytes.size() || holds_output_)) {
      ZSTD_inBuffer from{input.bytes.data(), input.bytes.size(), input.at};
      const std::size_t answer = ZSTD_decompressStream(context_, &to, &from);
      input.at = from.pos;
      if (ZSTD_isError(answer) != 0) fail(answer, input.position());
      in_frame_ = answer != 0;
      holds_output_ = in_frame_ && to.pos == to.size;
    }
    return to.pos;
  }

  bool complete() const override { return !in_frame_; }

 private:
  [[noreturn]] void fail(std::size_t answer, std::uint64_t position) const {
    const ZSTD_ErrorCode code = ZSTD_getErrorCode(answer);
    if (code == ZSTD_error_memory_allocation) throw out_of_memory();
    if (code == ZSTD_error_frameParameter_windowTooLarge) {
      throw Error(ErrorKind::kInvalid,
                  fmt::format("zstd needs a window beyond the limit of {} bytes: pack it without "
                              "--long",
                              window_bytes_));
    }
    throw Error(ErrorKind::kCorrupt,
                fmt::format("zstd is broken at byte {}: {}", position, ZSTD_getErrorName(answer)));
  }

  ZSTD_DCtx* context_;
  std::uint64_t window_bytes_;
  bool in_frame_ = false;
  bool holds_output_ = false;  // The last output was full: there may be more without input.
};

}  // namespace

std::string_view to_string(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kGzip:
      return "gzip";
    case Compression::kZstd:
      return "zstd";
    case Compression::kBzip2:
      return "bzip2";
    case Compression::kXz:
      return "xz";
    case Compression::kLz4:
      return "lz4";
    case Compression::kSnappy:
      return "snappy";
  }
  return "?";
}

Compression detect_compression(BytesView start) {
  if (starts_gzip(start)) return Compression::kGzip;
  if (starts_zstd(start)) return Compression::kZstd;
  if (starts_bzip2(start)) return Compression::kBzip2;
  if (starts_xz(start)) return Compression::kXz;
  if (starts_lz4(start)) return Compression::kLz4;
  return starts_snappy(start) ? Compression::kSnappy : Compression::kNone;
}

class Decompressor::Impl {
 public:
  explicit Impl(DecompressLimits limits) : limits_(limits) {}

  void push(Bytes piece) {
    input_.before += input_.at;
    if (input_.at == input_.bytes.size()) {
      input_.bytes = std::move(piece);
    } else {
      input_.bytes.erase(0, input_.at);
      input_.bytes += piece;
    }
    input_.at = 0;
    if (input_.bytes.size() >= kCompressionMagicBytes) choose();
  }

  void finish() {
    finished_ = true;
    choose();
  }

  Bytes next() {
    if (!compression_) return {};
    Bytes out = unpacker_ ? unpack() : take_plain();
    if (out.empty() && finished_ && unpacker_ && !unpacker_->complete()) {
      throw Error(ErrorKind::kCorrupt, fmt::format("{} ends early at byte {}",
                                                   to_string(*compression_), input_.position()));
    }
    return out;
  }

  std::optional<Compression> compression() const { return compression_; }

 private:
  void choose() {
    if (compression_) return;
    compression_ = detect_compression(input_.bytes);
    if (compression_ == Compression::kGzip) unpacker_ = std::make_unique<GzipUnpacker>();
    if (compression_ == Compression::kZstd) {
      unpacker_ = std::make_unique<ZstdUnpacker>(limits_.window_bytes);
    }
    if (!unpacker_) unpacker_ = unpacking::make_other_unpacker(*compression_, limits_);
  }

  Bytes take_plain() {
    input_.before += input_.bytes.size();
    input_.at = 0;
    return std::exchange(input_.bytes, {});
  }

  Bytes unpack() {
    Bytes out;
    if (input_.at == input_.bytes.size() && !filled_) return out;
    // Small input gets a small buffer first: objects of a few bytes are common.
    std::size_t room =
        filled_ ? kPieceBytes : std::clamp(4 * input_.rest().size(), kPieceBytes / 64, kPieceBytes);
    std::size_t size = 0;
    while (true) {
      out.resize(room);
      const std::size_t more = unpacker_->unpack(input_, out.data() + size, room - size);
      size += more;
      if (more == 0 || size == kPieceBytes) break;
      if (size == room) room = std::min(4 * room, kPieceBytes);
    }
    filled_ = size == kPieceBytes;
    out.resize(size);
    output_ += size;
    check_limits();
    return out;
  }

  void check_limits() const {
    if (output_ > limits_.output_bytes) {
      throw Error(ErrorKind::kInvalid, fmt::format("{} unpacks to more than the limit of {} bytes",
                                                   to_string(*compression_), limits_.output_bytes));
    }
    if (output_ > kRatioFreeBytes && output_ / limits_.ratio > input_.position()) {
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} unpacks to more than {} times its size ({} bytes out of {}): it "
                              "looks like a decompression bomb",
                              to_string(*compression_), limits_.ratio, output_, input_.position()));
    }
  }

  DecompressLimits limits_;
  Input input_;
  std::optional<Compression> compression_;
  std::unique_ptr<Unpacker> unpacker_;  // Null while unknown, and for plain bytes.
  std::uint64_t output_ = 0;
  bool filled_ = false;  // The last output was full: there may be more without input.
  bool finished_ = false;
};

Decompressor::Decompressor(DecompressLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
Decompressor::~Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;
void Decompressor::push(Bytes piece) { impl_->push(std::move(piece)); }
Bytes Decompressor::next() { return impl_->next(); }
void Decompressor::finish() { impl_->finish(); }
std::optional<Compression> Decompressor::compression() const { return impl_->compression(); }

namespace {

class Packer {
 public:
  virtual ~Packer() = default;
  virtual Bytes pack(BytesView piece, bool last) = 0;
};

class GzipPacker final : public Packer {
 public:
  explicit GzipPacker(int level) {
    constexpr int kMemoryLevel = 8;
    const int chosen = level == 0 ? Z_DEFAULT_COMPRESSION : level;
    // Without deflateSetHeader the header's time is 0 and it has no name.
    if (deflateInit2(&stream_, chosen, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw out_of_memory();
    }
  }
  ~GzipPacker() override { deflateEnd(&stream_); }
  GzipPacker(const GzipPacker&) = delete;
  GzipPacker& operator=(const GzipPacker&) = delete;

  Bytes pack(BytesView piece, bool last) override {
    Bytes out;
    while (piece.size() > kPieceBytes) {
      step(out, piece.substr(0, kPieceBytes), Z_NO_FLUSH);
      piece.remove_prefix(kPieceBytes);
    }
    step(out, piece, last ? Z_FINISH : Z_NO_FLUSH);
    return out;
  }

 private:
  void step(Bytes& out, BytesView piece, int flush) {
    stream_.next_in = as_zlib(piece.data());
    stream_.avail_in = static_cast<uInt>(piece.size());
    do {
      const std::size_t before = out.size();
      out.resize(before + kOutputStep);
      stream_.next_out = as_zlib(out.data() + before);
      stream_.avail_out = kOutputStep;
      deflate(&stream_, flush);
      out.resize(out.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  static constexpr uInt kOutputStep = 64u << 10;
  z_stream stream_{};
};

class ZstdPacker final : public Packer {
 public:
  explicit ZstdPacker(int level) : context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) throw out_of_memory();
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
  }
  ~ZstdPacker() override { ZSTD_freeCCtx(context_); }
  ZstdPacker(const ZstdPacker&) = delete;
  ZstdPacker& operator=(const ZstdPacker&) = delete;

  Bytes pack(BytesView piece, bool last) override {
    Bytes out;
    ZSTD_inBuffer from{piece.data(), piece.size(), 0};
    const ZSTD_EndDirective mode = last ? ZSTD_e_end : ZSTD_e_continue;
    std::size_t left = 1;
    while (last ? left != 0 : from.pos < from.size) {
      const std::size_t before = out.size();
      out.resize(before + ZSTD_CStreamOutSize());
      ZSTD_outBuffer to{out.data(), out.size(), before};
      left = ZSTD_compressStream2(context_, &to, &from, mode);
      out.resize(to.pos);
      if (ZSTD_isError(left) != 0) {
        throw Error(ErrorKind::kTransient, fmt::format("zstd: {}", ZSTD_getErrorName(left)));
      }
    }
    return out;
  }

 private:
  ZSTD_CCtx* context_;
};

class PlainPacker final : public Packer {
 public:
  Bytes pack(BytesView piece, bool) override { return Bytes(piece); }
};

std::unique_ptr<Packer> make_packer(Compression compression, int level) {
  switch (compression) {
    case Compression::kGzip:
      return std::make_unique<GzipPacker>(level);
    case Compression::kZstd:
      return std::make_unique<ZstdPacker>(level);
    case Compression::kNone:
      return std::make_unique<PlainPacker>();
    case Compression::kBzip2:
    case Compression::kXz:
    case Compression::kLz4:
    case Compression::kSnappy:
      break;
  }
  throw Error(ErrorKind::kInvalid,
              fmt::format("objects packed as {} are read, but not written: pack them as gzip or "
                          "zstd",
                          to_string(compression)));
}

class DecompressingSource final : public ByteSource {
 public:
  DecompressingSource(std::unique_ptr<ByteSource> packed, DecompressLimits limits, CpuPool* cpu)
      : packed_(std::move(packed)), unpack_(limits), cpu_(cpu) {}

  Task<Bytes> read() override {
    while (true) {
      Bytes out = co_await next();
      if (!out.empty() || ended_) co_return out;
      Bytes piece = co_await packed_->read();
      if (piece.empty()) {
        ended_ = true;
        unpack_.finish();
      } else {
        unpack_.push(std::move(piece));
      }
    }
  }

 private:
  Task<Bytes> next() {
    if (cpu_ == nullptr) co_return unpack_.next();
    co_return co_await run_on(*cpu_, [this] { return unpack_.next(); });
  }

  std::unique_ptr<ByteSource> packed_;
  Decompressor unpack_;
  CpuPool* cpu_;
  bool ended_ = false;
};

}  // namespace

class Compressor::Impl {
 public:
  std::unique_ptr<Packer> packer;
};

Compressor::Compressor(Compression compression, int level)
    : impl_(std::make_unique<Impl>(make_packer(compression, level))) {}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;
Bytes Compressor::push(BytesView piece) { return impl_->packer->pack(piece, false); }
Bytes Compressor::finish() { return impl_->packer->pack({}, true); }

std::unique_ptr<ByteSource> decompressing(std::unique_ptr<ByteSource> packed,
                                          DecompressLimits limits, CpuPool* cpu) {
  return std::make_unique<DecompressingSource>(std::move(packed), limits, cpu);
}

}  // namespace headrace
